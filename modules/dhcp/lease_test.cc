#include "lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ip_for_test.h"
#include "base/temp_folder_for_test.h"
#include "unicni/sys/file.h"
#include "unicni/undo/lease.h"

namespace unicni::dhcp::lease_test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

Lease lease() {
  Lease lease;
  lease.key = {"net", "c1", "eth0"};
  lease.socket = "/run/cni/dhcp.sock";
  lease.place = {"/run/netns/c 1", "cookie:17", "eth0", 5, "mnt:[17]", "macvlan"};
  lease.identity.mac = *Mac::parse("02:00:00:00:00:01");
  lease.identity.client_id = {0, 'c'};
  lease.identity.provide[12] = bytes_of("host");
  lease.identity.request = {1, 3};
  lease.identity.broadcast = true;
  lease.probe = Span(50);
  lease.priority = 7;
  lease.link_mtu = 1500;
  lease.mtu = 1400;
  lease.renewed_mtu = true;
  lease.applying = true;
  lease.replaced = ip_net("10.0.0.8/24");
  lease.boot = sys::boot_id();
  GrantV4 grant;
  grant.address = ip_net("10.0.0.9/24");
  grant.server = ip("10.0.0.1");
  grant.relay = ip("10.0.0.2");
  grant.next_hop = *Mac::parse("02:00:00:00:00:02");
  grant.since = Instant(1);
  grant.t1 = Instant(2);
  grant.t2 = Instant(3);
  grant.expires = kNever;
  grant.options[3] = {10, 0, 0, 1};
  grant.options[114] = {};
  lease.grant = grant;
  lease.farewell = {0x45, 0, 0xff, '\n', '%', ' '};
  return lease;
}

void expect_equal(const Lease& one, const Lease& other) {
  EXPECT_EQ(one.key, other.key);
  EXPECT_EQ(one.socket, other.socket);
  EXPECT_EQ(one.place, other.place);
  EXPECT_EQ(one.identity.mac, other.identity.mac);
  EXPECT_EQ(one.identity.client_id, other.identity.client_id);
  EXPECT_EQ(one.identity.provide, other.identity.provide);
  EXPECT_EQ(one.identity.request, other.identity.request);
  EXPECT_EQ(one.identity.broadcast, other.identity.broadcast);
  EXPECT_EQ(one.probe, other.probe);
  EXPECT_EQ(one.priority, other.priority);
  EXPECT_EQ(one.link_mtu, other.link_mtu);
  EXPECT_EQ(one.mtu, other.mtu);
  EXPECT_EQ(one.renewed_mtu, other.renewed_mtu);
  EXPECT_EQ(one.applying, other.applying);
  EXPECT_EQ(one.replaced, other.replaced);
  EXPECT_EQ(one.renewed_routes, other.renewed_routes);
  EXPECT_EQ(one.boot, other.boot);
  EXPECT_EQ(one.farewell, other.farewell);
  EXPECT_EQ(one.place.view, other.place.view);
  EXPECT_EQ(one.place.kind, other.place.kind);
  EXPECT_EQ(one.grant, other.grant);
}

TEST(Lease, IsReadAsItWasWritten) {
  const auto read = parse_lease(print_lease(lease()));
  ASSERT_TRUE(read);
  expect_equal(*read, lease());
}

TEST(Lease, CoreSeesWhatRenewalsChanged) {
  const TempFolder folder;
  for (const bool routes : {false, true}) {
    for (const bool mtu : {false, true}) {
      Lease changed = lease();
      changed.renewed_routes = routes;
      changed.renewed_mtu = mtu;
      const std::string text = print_lease(changed);
      expect_equal(parse_lease(text).value(), changed);
      sys::write_file_atomically(folder / "lease", text, 0600);
      const RenewedLease renewed = find_renewed(folder / "lease");
      EXPECT_EQ(renewed.routes, routes);
      EXPECT_EQ(renewed.mtu, mtu ? 1400U : 0U);
    }
  }
}

TEST(Lease, OneThatWasLostHasNoGrant) {
  Lease lost = lease();
  lost.grant.reset();
  const auto read = parse_lease(print_lease(lost));
  ASSERT_TRUE(read);
  expect_equal(*read, lost);
}

TEST(Lease, ADamagedOneIsNone) {
  const std::string text = print_lease(lease());
  EXPECT_FALSE(parse_lease(""));
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = damaged[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(parse_lease(damaged)) << i;
    EXPECT_FALSE(parse_lease(text.substr(0, i))) << i;
  }
}

TEST(Lease, FieldsThatAreWrongInAWholeLineAreNone) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"version", "2"},
                                                        {"mac", "x"},
                                                        {"index", ""},
                                                        {"probe", "x"},
                                                        {"priority", "-1"},
                                                        {"client_id", "0"},
                                                        {"request", "zz"},
                                                        {"address", "10.0.0.9"},
                                                        {"server", "x"},
                                                        {"t1", "later"},
                                                        {"next_hop", ""},
                                                        {"option.300", "00"},
                                                        {"option.3", "0"}}) {
    Line line = *parse_line(print_lease(lease()).substr(0, print_lease(lease()).size() - 1));
    std::erase_if(line.fields, [&](const auto& field) { return field.first == key; });
    line.fields.emplace_back(key, value);
    EXPECT_FALSE(parse_lease(print_line(line))) << key;
  }
}

TEST(Lease, FilesOfAnotherBootAreNone) {
  const TempFolder folder;
  Lease old = lease();
  const std::string file = lease_file(folder.path(), old.key);
  sys::write_file_atomically(file, print_lease(old), 0600);
  EXPECT_TRUE(read_lease(file));
  old.key.container_id = "old";
  old.boot = "another";
  const std::string old_file = lease_file(folder.path(), old.key);
  sys::write_file_atomically(old_file, print_lease(old), 0600);
  EXPECT_FALSE(read_lease(old_file));
  EXPECT_FALSE(is_damaged_lease(old_file));
  EXPECT_FALSE(read_lease(folder / "absent"));
  std::vector<std::string> problems;
  EXPECT_THAT(read_leases(folder.path(), &problems), SizeIs(1));
  EXPECT_THAT(problems, IsEmpty());
  EXPECT_THAT(read_leases(folder / "absent", &problems), IsEmpty());
  EXPECT_THAT(problems, IsEmpty());
}

TEST(Lease, WhateverIsInAFolderAndIsNotItsAttachmentsLeaseIsTold) {
  const TempFolder folder;
  sys::write_file_atomically(lease_file(folder.path(), lease().key), print_lease(lease()), 0600);
  sys::write_file_atomically(folder / ".a.x.tmp", print_lease(lease()), 0600);
  sys::write_file_atomically(folder / "copy", print_lease(lease()), 0600);
  sys::write_file_atomically(folder / "garbage", "garbage", 0600);
  ASSERT_EQ(::symlink("/nowhere", (folder / "link").c_str()), 0);
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  sys::ensure_folder(folder / "folder", 0700);
  std::vector<std::string> problems;
  EXPECT_THAT(read_leases(folder.path(), &problems), SizeIs(1));
  EXPECT_THAT(problems, SizeIs(5));
  for (const char* name : {"copy", "garbage", "link", "fifo", "folder"}) {
    EXPECT_THAT(problems, Contains(HasSubstr((folder / name) + " is damaged"))) << name;
    EXPECT_TRUE(is_damaged_lease(folder / name)) << name;
    EXPECT_FALSE(read_lease(folder / name)) << name;
  }
  EXPECT_TRUE(is_damaged_lease((folder / "garbage") + "/net:c1:eth0"));
  for (const char* name : {"garbage", "fifo", "link"}) {
    problems.clear();
    EXPECT_THAT(read_leases(folder / name, &problems), IsEmpty());
    EXPECT_THAT(problems, ElementsAre(HasSubstr((folder / name) + " is no folder"))) << name;
  }
}

TEST(LeaseSocket, HasManyPathsAndIsOne) {
  const TempFolder folder;
  sys::ensure_folder(folder / "cni", 0700);
  sys::ensure_folder(folder / "other", 0700);
  ASSERT_EQ(::symlink("cni", (folder / "link").c_str()), 0);
  const std::string one = folder / "cni/dhcp.sock";
  for (const char* same :
       {"cni/dhcp.sock", "link/dhcp.sock", "cni//dhcp.sock", "cni/../cni/dhcp.sock"}) {
    EXPECT_TRUE(is_same_socket(one, folder / same)) << same;
  }
  for (const char* another : {"cni/dhcp.soc", "other/dhcp.sock", "absent/dhcp.sock"}) {
    EXPECT_FALSE(is_same_socket(one, folder / another)) << another;
  }
  EXPECT_TRUE(is_same_socket(folder / "absent/dhcp.sock", folder / "absent/dhcp.sock"));
}

class LeaseResult : public testing::Test {
 protected:
  LeaseResult() {
    grant_.address = ip_net("10.0.0.9/24");
    grant_.options[3] = {10, 0, 0, 1, 10, 0, 0, 2};
  }
  [[nodiscard]] std::vector<std::string> routes(std::uint32_t priority = 0) const {
    std::vector<std::string> texts;
    for (const Route& route : result_of(grant_, priority).routes) {
      std::string text = route.dst.str() + " " + route.gw->str();
      if (route.scope) text += " scope " + std::to_string(*route.scope);
      if (route.priority != 0) text += " metric " + std::to_string(route.priority);
      texts.push_back(text);
    }
    return texts;
  }
  GrantV4 grant_;
};

TEST_F(LeaseResult, TheFirstRouterIsGatewayAndDefaultRoute) {
  const Result result = result_of(grant_, 0);
  ASSERT_EQ(result.ips.size(), 1U);
  EXPECT_EQ(result.ips[0].address.str(), "10.0.0.9/24");
  EXPECT_EQ(result.ips[0].gateway, ip("10.0.0.1"));
  EXPECT_THAT(routes(), ElementsAre("0.0.0.0/0 10.0.0.1"));
  EXPECT_THAT(routes(5), ElementsAre("0.0.0.0/0 10.0.0.1 metric 5"));
}

TEST_F(LeaseResult, StaticRoutesStandBeforeTheDefaultRoute) {
  grant_.options[33] = {10, 9, 0, 0, 10, 0, 0, 3};
  EXPECT_THAT(routes(), ElementsAre("10.0.0.0/8 10.0.0.3", "0.0.0.0/0 10.0.0.1"));
}

TEST_F(LeaseResult, ClasslessRoutesReplaceAllOthers) {
  grant_.options[33] = {10, 9, 0, 0, 10, 0, 0, 3};
  grant_.options[249] = {8, 11, 10, 0, 0, 4};
  EXPECT_THAT(routes(), ElementsAre("11.0.0.0/8 10.0.0.4"));
  grant_.options[121] = {8, 12, 0, 0, 0, 0};
  EXPECT_THAT(routes(), ElementsAre("12.0.0.0/8 0.0.0.0 scope 253"));
  grant_.options[121] = {99};
  EXPECT_THAT(routes(), ElementsAre("11.0.0.0/8 10.0.0.4")) << "a broken one counts as none";
}

TEST_F(LeaseResult, RoutesOnTheLinkStandBeforeThoseThatNeedThem) {
  grant_.options[121] = {0, 10, 9, 0, 1, 32, 10, 9, 0, 1, 0, 0, 0, 0};
  EXPECT_THAT(routes(), ElementsAre("10.9.0.1/32 0.0.0.0 scope 253", "0.0.0.0/0 10.9.0.1"));
}

TEST_F(LeaseResult, ARouterWithoutAddressIsNone) {
  grant_.options[3] = {0, 0, 0, 0};
  EXPECT_EQ(result_of(grant_, 0).ips[0].gateway, std::nullopt);
  EXPECT_THAT(routes(), IsEmpty());
  grant_.options.erase(3);
  EXPECT_EQ(result_of(grant_, 0).ips[0].gateway, std::nullopt);
}

TEST_F(LeaseResult, NamesAreReported) {
  grant_.options[6] = {10, 0, 0, 5, 10, 0, 0, 6};
  grant_.options[15] = bytes_of("example.org");
  grant_.options[119] = {1, 'a', 0};
  const Dns dns = result_of(grant_, 0).dns;
  EXPECT_THAT(dns.nameservers, ElementsAre("10.0.0.5", "10.0.0.6"));
  EXPECT_EQ(dns.domain, "example.org");
  EXPECT_THAT(dns.search, ElementsAre("a"));
  grant_.options[6] = {10, 0, 0, 5, 0, 0, 0, 0, 10, 0, 0, 5, 255, 255, 255, 255, 224, 0, 0, 1};
  EXPECT_THAT(result_of(grant_, 0).dns.nameservers, ElementsAre("10.0.0.5"));
  grant_.options[15] = bytes_of("two words; rm");
  EXPECT_EQ(result_of(grant_, 0).dns.domain, "");
}

TEST_F(LeaseResult, AnMtuIsOneThatALinkCanHave) {
  EXPECT_EQ(mtu_of(grant_), std::nullopt);
  grant_.options[26] = {5, 120};
  EXPECT_EQ(mtu_of(grant_), 1400U);
  grant_.options[26] = {0, 67};
  EXPECT_EQ(mtu_of(grant_), std::nullopt);
  grant_.options[26] = {5};
  EXPECT_EQ(mtu_of(grant_), std::nullopt);
}

}  // namespace
}  // namespace unicni::dhcp::lease_test
