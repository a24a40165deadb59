#include "unicni/net/kept_link.h"

#include <gtest/gtest.h>

#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/netlink.h"

namespace unicni::net::kept_link_test {
namespace {

constexpr const char* kHere = "/proc/thread-self/ns/net";

class KeptLinkTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    shell("ip link add eth0 type veth peer name other");
    Netlink links;
    const Link link = get_link(links, "eth0");
    kept_ = {links.identity(), link.name, link.index, link.mac, link.kind};
  }
  [[nodiscard]] bool is_found() const { return find_kept_link(kHere, kept_).has_value(); }
  KeptLink kept_;
};

TEST_F(KeptLinkTest, ALinkMayGetAnotherMacOrAnotherName) {
  ASSERT_TRUE(is_found());
  shell("ip link set eth0 address 02:00:00:00:00:07");
  const auto found = find_kept_link(kHere, kept_);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->link.mac, Mac::parse("02:00:00:00:00:07")) << "as it is now";
  kept_.mac = found->link.mac;
  shell("ip link set eth0 name eth1");
  EXPECT_TRUE(is_found());
}

TEST_F(KeptLinkTest, BothMakeItAnother) {
  shell("ip link set eth0 address 02:00:00:00:00:07 name eth1");
  EXPECT_FALSE(is_found());
}

TEST_F(KeptLinkTest, OneOfAnotherKindUnderItsNameAndNumberIsAnother) {
  shell("ip link del eth0");
  shell("ip link add eth0 index " + std::to_string(kept_.index) + " type bridge");
  EXPECT_FALSE(is_found());
  kept_.kind.clear();
  EXPECT_TRUE(is_found()) << "nobody knows what it was";
}

TEST_F(KeptLinkTest, ItIsInItsOwnNamespaceAlone) {
  const NewNetns other;
  EXPECT_FALSE(find_kept_link(other.path(), kept_));
  EXPECT_FALSE(find_kept_link("/proc/self/exe", kept_));
  EXPECT_FALSE(find_kept_link("/absent", kept_));
  ++kept_.index;
  EXPECT_FALSE(is_found());
}

}  // namespace
}  // namespace unicni::net::kept_link_test
