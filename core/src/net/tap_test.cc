#include "unicni/net/tap.h"

#include <gmock/gmock.h>

#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/link.h"

namespace unicni::net::tap_test {
namespace {

using testing::HasSubstr;

class TapTest : public PrivateNetnsTest {
 protected:
  /// The error's text, or "".
  std::string refusal(const TapSpec& spec) {
    try {
      add_tap(spec, inside_, Netns::current());
      return "";
    } catch (const Error& error) {
      details_ = error.details();
      return error.msg();
    }
  }
  NewNetns other_;
  Netns inside_ = other_.open();
  std::string details_;
};

TEST_F(TapTest, IsBornInTheOtherNamespaceAndStays) {
  EXPECT_EQ(refusal({.name = "eth0"}), "");
  Netlink here;
  Netlink there(inside_);
  EXPECT_FALSE(find_link(here, "eth0"));
  EXPECT_EQ(get_link(there, "eth0").kind, "tun");
  const auto data = find_tap_data(there, "eth0");
  ASSERT_TRUE(data);
  EXPECT_FALSE(data->multi_queue);
  EXPECT_FALSE(data->owner);
  EXPECT_FALSE(data->group);
  EXPECT_THAT(shell_in(inside_, "ip -d link show eth0"),
              HasSubstr("tun type tap pi off vnet_hdr off persist on"));
}

TEST_F(TapTest, HasOwnerGroupAndQueues) {
  EXPECT_EQ(refusal({.name = "eth0", .multi_queue = true, .owner = 1000, .group = 0}), "");
  Netlink there(inside_);
  const auto data = find_tap_data(there, "eth0");
  ASSERT_TRUE(data);
  EXPECT_TRUE(data->multi_queue);
  EXPECT_EQ(data->owner, 1000U);
  EXPECT_EQ(data->group, 0U);
}

TEST_F(TapTest, OneThatIsThereIsRefusedAndUntouched) {
  EXPECT_EQ(refusal({.name = "eth0", .owner = 1000}), "");
  EXPECT_THAT(refusal({.name = "eth0"}), HasSubstr("create tap eth0"));
  Netlink there(inside_);
  EXPECT_EQ(find_tap_data(there, "eth0")->owner, 1000U);
}

TEST_F(TapTest, AFailureLeavesNothing) {
  Netlink there(inside_);
  constexpr std::uint32_t kNobody = 0xffffffff;  // (uid_t)-1
  EXPECT_THAT(refusal({.name = "eth0", .owner = kNobody}), HasSubstr("uid 4294967295"));
  EXPECT_FALSE(find_link(there, "eth0"));
  EXPECT_THAT(refusal({.name = "eth0", .group = kNobody}), HasSubstr("gid 4294967295"));
  EXPECT_FALSE(find_link(there, "eth0"));
  EXPECT_THAT(refusal({.name = "tap%d"}), HasSubstr("pattern"));
  EXPECT_FALSE(find_link(there, "tap0"));
}

TEST_F(TapTest, AContextThatCannotBeTakenMakesNothing) {
  Netlink there(inside_);
  EXPECT_THAT(refusal({.name = "eth0", .selinux_context = "no:such:context"}),
              HasSubstr("take the SELinux context no:such:context"));
  EXPECT_THAT(details_, HasSubstr("dyntransition"));
  EXPECT_FALSE(find_link(there, "eth0"));
}

TEST_F(TapTest, OthersAreNoTaps) {
  Netlink here;
  EXPECT_FALSE(find_tap_data(here, "nobody"));
  EXPECT_FALSE(find_tap_data(here, "lo"));
  shell("ip tuntap add mode tun name tun7; ip link add v0 type veth peer name v1");
  EXPECT_FALSE(find_tap_data(here, "tun7"));
  EXPECT_FALSE(find_tap_data(here, "v0"));
}

}  // namespace
}  // namespace unicni::net::tap_test
