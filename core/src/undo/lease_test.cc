#include "unicni/undo/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/ip_for_test.h"
#include "base/temp_folder_for_test.h"
#include "daemon/address.h"
#include "undo/fake_kernel_for_test.h"
#include "undo/kinds.h"
#include "unicni/line.h"
#include "unicni/sys/file.h"

namespace unicni::undo::lease_test {
namespace {

using testing::ElementsAre;
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
  EXPECT_THROW(kLeaseKind.undo({record_}, hurried), DaemonSilent);
  hurried.deadline += std::chrono::hours(1);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THROW(kLeaseKind.undo({record_}, hurried), DaemonSilent);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(4)) << "of five";
}

TEST_F(LeaseRecord, WithOneTheDaemonIsAskedAndItsAbsenceIsAnError) {
  sys::write_file_atomically(folder_ / "lease", "x", 0600);
  EXPECT_EQ(kLeaseKind.find(record_, undoing_), Found::ours);
  EXPECT_THROW(kLeaseKind.undo({record_}, undoing_), Error);
  EXPECT_TRUE(sys::read_file(folder_ / "lease")) << "for the next DEL";
  EXPECT_EQ(kLeaseKind.describe(record_),
            "lease of net/c1/eth0 that the test daemon on " + (folder_ / "socket") + " holds");
}

}  // namespace
}  // namespace unicni::undo::lease_test
