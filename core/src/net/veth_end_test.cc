// The other end of a veth, and what only looks like it.
#include <gtest/gtest.h>

#include "net/private_netns_for_test.h"
#include "unicni/net/link.h"
#include "unicni/net/veth.h"

namespace unicni::net::veth_end_test {
namespace {

class VethEndTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    if (IsSkipped()) return;
    host_.emplace(Netns::current());
    links_.emplace();
  }
  /// A veth from `from` to `to`, whose ends have the same indices wherever they are.
  static void make_veth(const Netns& from, const Netns& to) {
    shell_in(from, "ip link add out0 index 4077 type veth peer name eth0 index 4055 netns /proc/" +
                       std::to_string(::getpid()) + "/fd/" + std::to_string(to.fd()));
  }
  [[nodiscard]] std::optional<Link> end_of(const Netns& inside) {
    Netlink there(inside);
    return find_veth_end(there, get_link(there, "eth0"), *links_, *host_);
  }

  std::optional<Netns> host_;
  std::optional<Netlink> links_;
  const NewNetns pod_;
  const NewNetns other_;
  const NewNetns between_;
};

TEST_F(VethEndTest, IsTheOneInTheOtherNamespace) {
  const Netns pod = pod_.open();
  make_veth(*host_, pod);
  const auto end = end_of(pod);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->name, "out0");
}

TEST_F(VethEndTest, EqualIndicesAreNotEnough) {
  const Netns pod = pod_.open();
  const Netns other = other_.open();
  make_veth(between_.open(), pod);
  make_veth(*host_, other);
  EXPECT_FALSE(end_of(pod));
  EXPECT_TRUE(end_of(other));
}

TEST_F(VethEndTest, ThereIsNoneOfOtherLinks) {
  const Netns pod = pod_.open();
  shell_in(pod, "ip link add eth0 type ifb");
  EXPECT_FALSE(end_of(pod));
}

TEST_F(VethEndTest, BothEndsMayBeInOneNamespace) {
  shell("ip link add eth0 type veth peer name out0");
  const auto end = end_of(*host_);
  ASSERT_TRUE(end);
  EXPECT_EQ(end->name, "out0");
}

}  // namespace
}  // namespace unicni::net::veth_end_test
