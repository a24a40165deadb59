#include "lease_v6.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ip_for_test.h"

namespace unicni::dhcp::lease_v6_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

LeaseV6 lease() {
  LeaseV6 lease;
  lease.need = NeedV6::required;
  lease.identity = {{0, 4, 1}, 0xffffffff};
  lease.was_given = true;
  GrantV6 grant;
  grant.address = ip("2001:db8::9");
  grant.server = {0, 1, 2};
  grant.since = Instant(1);
  grant.t1 = Instant(2);
  grant.t2 = Instant(3);
  grant.preferred = Instant(4);
  grant.expires = kNever;
  grant.options = {{23, Bytes(16, 1)}, {24, {}}};
  lease.grant = grant;
  return lease;
}

std::optional<LeaseV6> read(const Line& line) {
  std::optional<LeaseV6> lease;
  EXPECT_TRUE(read_lease_v6(line, lease));
  return lease;
}

TEST(LeaseV6, IsReadAsItWasWritten) {
  for (const bool has_grant : {true, false}) {
    LeaseV6 written = lease();
    if (!has_grant) {
      written.grant.reset();
      written.was_given = false;
      written.need = NeedV6::wanted;
    }
    Line line{"lease", {{"address", "10.0.0.9/24"}}};
    add_lease_v6(written, line);
    EXPECT_EQ(read(line), written);
  }
}

TEST(LeaseV6, ALineThatSaysNothingOfItHasNone) { EXPECT_EQ(read({"lease", {}}), std::nullopt); }

TEST(LeaseV6, FieldsThatAreWrongAreDamage) {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"v6.need", "maybe"},
                                                        {"v6.duid", ""},
                                                        {"v6.iaid", "4294967296"},
                                                        {"v6.address", "2001:db8::9/64"},
                                                        {"v6.address", "10.0.0.9/32"},
                                                        {"v6.server", "0"},
                                                        {"v6.t1", "later"},
                                                        {"v6.option.65536", "00"},
                                                        {"v6.option.23", "zz"}}) {
    Line line{"lease", {}};
    add_lease_v6(lease(), line);
    std::erase_if(line.fields, [&](const auto& field) { return field.first == key; });
    line.fields.emplace_back(key, value);
    std::optional<LeaseV6> ignored;
    EXPECT_FALSE(read_lease_v6(line, ignored)) << key << '=' << value;
  }
}

TEST(LeaseV6, TheDuidIsAUuidOfTheClientAndTheIaidIsThePlaces) {
  const IdentityV6 one = identity_v6({0, 'c', '1'}, {"net", "c1", "eth0"});
  ASSERT_EQ(one.duid.size(), 18U);
  EXPECT_EQ(Bytes(one.duid.begin(), one.duid.begin() + 2), (Bytes{0, 4}));
  EXPECT_EQ(one.duid[8] >> 4U, 8) << "version";
  EXPECT_EQ(one.duid[10] >> 6U, 2) << "variant";
  EXPECT_EQ(one, identity_v6({0, 'c', '1'}, {"net", "another container", "eth0"}));
  const IdentityV6 second = identity_v6({0, 'c', '1'}, {"net", "c1", "net1"});
  EXPECT_EQ(second.duid, one.duid);
  EXPECT_NE(second.iaid, one.iaid);
  EXPECT_NE(identity_v6({0, 'c', '2'}, {"net", "c1", "eth0"}).duid, one.duid);
  // printf '\0c1' | sha512sum, printf net/eth0 | sha512sum
  EXPECT_EQ(one.duid[2], 0xb8);
  EXPECT_EQ(one.iaid, 0x4b8be96bU);
}

TEST(LeaseV6, ItsResultStandsBehindThatOfIPv4) {
  Result result;
  result.ips.emplace_back().address = ip_net("10.0.0.9/24");
  result.dns.nameservers = {"10.0.0.1"};
  result.dns.search = {"example.org"};
  GrantV6 grant = *lease().grant;
  const Bytes server{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  grant.options[23] = server;
  grant.options[23].insert(grant.options[23].end(), server.begin(), server.end());
  grant.options[24] = {7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 3, 'o', 'r', 'g', 0, 1, 'a', 0};
  add_to(result, grant);
  ASSERT_EQ(result.ips.size(), 2U);
  EXPECT_EQ(result.ips[1].address, ip_net("2001:db8::9/128"));
  EXPECT_EQ(result.ips[1].gateway, std::nullopt);
  EXPECT_THAT(result.routes, IsEmpty());
  EXPECT_THAT(result.dns.nameservers, ElementsAre("10.0.0.1", "2001:db8::1"));
  EXPECT_THAT(result.dns.search, ElementsAre("example.org", "a"));
}

TEST(LeaseV6, NameServersThatNobodyCanAskAreLeftOut) {
  GrantV6 grant = *lease().grant;
  grant.options[23].clear();
  for (const char* text : {"::", "ff02::1", "fe80::1"}) {
    const IpAddress address = ip(text);
    grant.options[23].insert(grant.options[23].end(), address.data(), address.data() + 16);
  }
  const Bytes mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4};
  grant.options[23].insert(grant.options[23].end(), mapped.begin(), mapped.end());
  Result result;
  add_to(result, grant);
  EXPECT_THAT(result.dns.nameservers, IsEmpty());
}

TEST(LeaseV6, ValuesThatBreakOffAreLeftOut) {
  GrantV6 grant = *lease().grant;
  grant.options[23] = Bytes(17);
  grant.options[24] = {1, 'a', 0xc0, 0};
  Result result;
  add_to(result, grant);
  EXPECT_THAT(result.dns.nameservers, IsEmpty());
}

}  // namespace
}  // namespace unicni::dhcp::lease_v6_test
