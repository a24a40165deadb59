#include "unicni/undo/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <unistd.h>

#include "base/in_namespace_for_test.h"
#include "base/ip_for_test.h"
#include "base/temp_folder_for_test.h"
#include "daemon/address.h"
#include "undo/fake_kernel_for_test.h"
#include "undo/kinds.h"
#include "unicni/line.h"
#include "unicni/net/link.h"
#include "unicni/net/packet_socket.h"
#include "unicni/net/veth.h"
#include "unicni/sys/file.h"

namespace unicni::undo::lease_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const AttachmentKey kKey{"net", "c1", "eth0"};

TEST(Lease, FilesAreNamedByTheAttachment) {
  EXPECT_EQ(lease_folder({}), "/run/unicni/dhcp");
  EXPECT_EQ(lease_file("/f", kKey), "/f/net:c1:eth0");
  const std::string one = lease_file("/f", {std::string(300, 'n'), "c1", "eth0"});
  EXPECT_EQ(one.size(), 3U + 200U);
  EXPECT_NE(one, lease_file("/f", {std::string(300, 'n'), "c1", "eth1"}));
}

TEST(Lease, ItsAddressesAreWhatTheFileSays) {
  const TempFolder folder;
  const auto say = [&](const std::string& text) {
    sys::write_file_atomically(folder / "lease", text, 0600);
    return find_leased_addresses(folder / "lease");
  };
  EXPECT_THAT(find_leased_addresses(folder / "absent"), IsEmpty());
  LineWriter both("lease");
  both.add("v6.address", "2001:db8::9/128").add("address", "10.0.0.9/24");
  EXPECT_THAT(say(both.finish()), ElementsAre(ip_net("10.0.0.9/24"), ip_net("2001:db8::9/128")));
  EXPECT_THAT(say(LineWriter("lease").add("address", "10.0.0.9/24").finish()),
              ElementsAre(ip_net("10.0.0.9/24")));
  EXPECT_THAT(say(LineWriter("lease").add("mac", "x").finish()), IsEmpty());
  EXPECT_THAT(say("lease address=10.0.0.9/24 #00000000\n"), IsEmpty());
}

TEST(Lease, WhatRenewalsChangedIsWhatTheFileSays) {
  const TempFolder folder;
  const auto say = [&](const std::string& renewed, const std::string& mtu) {
    sys::write_file_atomically(folder / "lease",
                               LineWriter("lease").add("renewed", renewed).add("mtu", mtu).finish(),
                               0600);
    return find_renewed(folder / "lease");
  };
  EXPECT_FALSE(find_renewed(folder / "absent").routes);
  EXPECT_TRUE(say("routes", "1400").routes);
  EXPECT_EQ(say("routes", "1400").mtu, 0U) << "as ADD set it";
  EXPECT_EQ(say("routes,mtu", "1400").mtu, 1400U);
  EXPECT_TRUE(say("mtu,routes", "1400").routes);
  EXPECT_FALSE(say("mtu", "1400").routes);
  EXPECT_EQ(say("mtu", "x").mtu, 0U);
}

TEST(Lease, AProgramWithAFolderOfItsOwnHasADaemonOfItsOwn) {
  const auto place = [](const std::string& socket, const Folders& folders) {
    return lease_daemon("dhcp", socket, "/run/cni/dhcp.sock", "/x/unicni", folders);
  };
  Folders own;
  own.run = "/run/user/1000/engine";
  EXPECT_EQ(place("/run/cni/dhcp.sock", {}).socket, "/run/cni/dhcp.sock");
  EXPECT_EQ(place("/run/cni/dhcp.sock", {}).folder, "/run/unicni/dhcp");
  EXPECT_EQ(place("/run/cni/dhcp.sock", own).socket, "/run/user/1000/engine/dhcp.sock");
  EXPECT_EQ(place("/run/cni/dhcp.sock", own).folder, "/run/user/1000/engine/dhcp");
  EXPECT_EQ(place("/run/other.sock", own).socket, "/run/other.sock");
  EXPECT_EQ(lease_daemon("dhcp", "/s", "", lease_file(lease_folder(own), kKey)).folder,
            lease_folder(own));
}

class LeaseRecord : public testing::Test {
 protected:
  LeaseRecord()
      : record_(undo_lease({"test", folder_ / "socket", ""}, folder_ / "lease", kKey)),
        step_{record_},
        undoing_{kernel_, Why::removal, std::chrono::steady_clock::now() + std::chrono::seconds(5),
                 step_, daemons_} {}
  TempFolder folder_;
  FakeKernel kernel_;
  Undo record_;
  std::vector<Undo> step_;
  Daemons daemons_;
  Undoing undoing_;
};

TEST_F(LeaseRecord, WithoutAFileThereIsNothingToGiveBack) {
  EXPECT_EQ(kLeaseKind.find(record_, undoing_), Found::absent);
  EXPECT_NO_THROW(kLeaseKind.undo({record_}, undoing_));
}

/// GC has a hundred of them.
TEST_F(LeaseRecord, ADaemonThatWasSilentOnceIsNotWaitedForAgain) {
  const sys::Fd hung = daemon::listen(folder_ / "socket");
  sys::write_file_atomically(folder_ / "lease", "x", 0600);
  Undoing hurried{kernel_, Why::removal,
                  std::chrono::steady_clock::now() + std::chrono::milliseconds(100), step_,
                  daemons_};
  EXPECT_NO_THROW(kLeaseKind.undo({record_}, hurried));
  EXPECT_THAT(kernel_.lines, ElementsAre(HasSubstr("did not answer in time")));
  hurried.deadline += std::chrono::hours(1);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_NO_THROW(kLeaseKind.undo({record_}, hurried));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(4)) << "of five";
}

/// "port" hears what "end", the interface of the lease, sends.
TEST_F(LeaseRecord, OfADaemonThatHangsTheServerIsToldByTheVerb) {
  in_namespace(CLONE_NEWNET, [&] {
    net::Netlink links;
    net::Batch batch(links);
    net::VethSpec pair;
    pair.name = "end";
    pair.mac = Mac::parse("02:00:00:00:00:01").value();
    pair.peer_name = "port";
    pair.peer_mac = Mac::parse("02:00:00:00:00:02").value();
    net::add_veth(batch, pair);
    batch.commit();
    const net::Link end = net::get_link(links, "end");
    const net::Link port = net::get_link(links, "port");
    net::Batch up(links);
    net::change_link(up, port, {.up = true});
    up.commit();
    const sys::Fd hung = daemon::listen(folder_ / "socket");
    Undoing hurried{kernel_, Why::removal,
                    std::chrono::steady_clock::now() + std::chrono::milliseconds(50), step_,
                    daemons_};
    std::string six(24, 'x');
    six += std::string("\xff\x02", 2) + std::string(10, '\0') + std::string("\0\1\0\2", 4);
    six += "farewell";
    const auto say = [&](const std::string& mac) {
      sys::write_file_atomically(folder_ / "lease",
                                 LineWriter("lease")
                                     .add("network", kKey.network)
                                     .add("container", kKey.container_id)
                                     .add("if_name", kKey.if_name)
                                     .add("address", "10.0.0.9/24")
                                     .add("server", "10.0.0.1")
                                     .add("next_hop", port.mac.str())
                                     .add("mac", mac)
                                     .add("index", std::to_string(end.index))
                                     .add("netns", links.identity())
                                     .add("netns_path", "/proc/thread-self/ns/net")
                                     .add("farewell", "farewell to you")
                                     .add("v6.address", "2001:db8::9/128")
                                     .add("v6.farewell", six)
                                     .finish(),
                                 0600);
    };
    say("02:00:00:00:00:99");
    EXPECT_NO_THROW(kLeaseKind.undo({record_}, hurried));
    EXPECT_THAT(
        kernel_.lines.back(),
        HasSubstr(
            "the release of 10.0.0.9/24 and 2001:db8::9/128 for net/c1/eth0 can't be sent, and "
            "the DHCP server 10.0.0.1 waits until its time is over: its namespace or interface "
            "is gone"));
    EXPECT_TRUE(sys::read_file(folder_ / "lease"));
    net::PacketSocket heard(port, ETH_P_IP, {});
    net::PacketSocket heard_six(port, ETH_P_IPV6, {});
    say(end.mac.str());
    EXPECT_NO_THROW(kLeaseKind.undo({record_}, hurried));
    EXPECT_THAT(kernel_.lines.back(), HasSubstr("without it 10.0.0.9/24 and 2001:db8::9/128 of "
                                                "net/c1/eth0 went back to 10.0.0.1"));
    pollfd wait{heard.fd(), POLLIN, 0};
    EXPECT_EQ(::poll(&wait, 1, 5000), 1);
    const auto frame = heard.receive();
    ASSERT_TRUE(frame);
    EXPECT_EQ(std::string(frame->bytes.begin(), frame->bytes.end()), "farewell to you");
    EXPECT_EQ(frame->from, end.mac);
    EXPECT_FALSE(sys::read_file(folder_ / "lease"));
    // The kernel's own neighbour discovery passes as well.
    bool came = false;
    wait.fd = heard_six.fd();
    while (!came && ::poll(&wait, 1, 5000) == 1) {
      const auto next = heard_six.receive();
      came = next && std::string(next->bytes.begin(), next->bytes.end()) == six;
    }
    EXPECT_TRUE(came);
  });
}

/// Of another attachment, as a copy that somebody made.
TEST_F(LeaseRecord, AFileWithAnotherLeaseIsDamaged) {
  sys::write_file_atomically(folder_ / "lease",
                             LineWriter("lease")
                                 .add("network", kKey.network)
                                 .add("container", "other")
                                 .add("if_name", kKey.if_name)
                                 .add("address", "10.0.0.9/24")
                                 .finish(),
                             0600);
  EXPECT_NO_THROW(kLeaseKind.undo({record_}, undoing_));
  EXPECT_THAT(kernel_.lines, ElementsAre(HasSubstr((folder_ / "lease") + " is damaged")));
}

TEST_F(LeaseRecord, ALinkToNothingInItsPlaceIsADamagedFile) {
  ASSERT_EQ(::symlink("/nowhere", (folder_ / "lease").c_str()), 0);
  EXPECT_EQ(kLeaseKind.find(record_, undoing_), Found::ours);
  EXPECT_NO_THROW(kLeaseKind.undo({record_}, undoing_));
  EXPECT_THAT(kernel_.lines, ElementsAre(HasSubstr((folder_ / "lease") + " is damaged")));
  EXPECT_EQ(kLeaseKind.find(record_, undoing_), Found::absent);
}

TEST_F(LeaseRecord, WhateverIsInTheDaemonsPlaceTheFileGoes) {
  const auto undo = [&] {
    sys::write_file_atomically(folder_ / "lease", "x", 0600);
    Undo record = undo_lease({"test", folder_ / "socket", "/bin/true"}, folder_ / "lease", kKey);
    Daemons daemons;  // of another verb each time
    Undoing undoing{kernel_, Why::removal, undoing_.deadline, step_, daemons};
    EXPECT_NO_THROW(kLeaseKind.undo({record}, undoing));
    EXPECT_FALSE(sys::read_file(folder_ / "lease"));
    return kernel_.lines.back();
  };
  sys::write_file_atomically(folder_ / "socket", "precious", 0600);
  EXPECT_THAT(undo(),
              HasSubstr("exists and is no socket: what it has of net/c1/eth0 is not known"));
  sys::remove_file(folder_ / "socket");
  sys::ensure_folder(folder_ / "socket", 0700);
  EXPECT_THAT(undo(), HasSubstr("exists and is no socket"));
}

TEST_F(LeaseRecord, WithOneTheDaemonIsAskedAndItsAbsenceIsNoError) {
  sys::write_file_atomically(folder_ / "lease", "x", 0600);
  EXPECT_EQ(kLeaseKind.find(record_, undoing_), Found::ours);
  EXPECT_NO_THROW(kLeaseKind.undo({record_}, undoing_));
  EXPECT_THAT(kernel_.lines, ElementsAre(AllOf(HasSubstr("the test daemon does not run"),
                                               HasSubstr((folder_ / "lease") + " is damaged"))));
  EXPECT_FALSE(sys::read_file(folder_ / "lease"));
  EXPECT_EQ(kLeaseKind.describe(record_),
            "lease of net/c1/eth0 that the test daemon on " + (folder_ / "socket") + " holds");
}

}  // namespace
}  // namespace unicni::undo::lease_test
