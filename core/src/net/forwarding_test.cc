#include "unicni/net/forwarding.h"

#include <gtest/gtest.h>

#include "net/private_netns_for_test.h"
#include "unicni/net/sysctl.h"

namespace unicni::net::forwarding_test {
namespace {

using ForwardingTest = PrivateNetnsTest;

TEST_F(ForwardingTest, IsWhatTheSysctlSays) {
  Netlink netlink;
  const std::pair<Family, const char*> kinds[] = {{Family::v4, "net/ipv4/ip_forward"},
                                                  {Family::v6, "net/ipv6/conf/all/forwarding"}};
  for (const auto& [family, key] : kinds) {
    for (const char* value : {"0", "1", "0"}) {
      ensure_sysctl(key, value);
      EXPECT_EQ(is_forwarding(netlink, family), *value == '1') << key;
    }
    ensure_forwarding(netlink, family);
    EXPECT_EQ(find_sysctl(key), "1");
    ensure_forwarding(netlink, family);
    EXPECT_TRUE(is_forwarding(netlink, family));
  }
}

TEST_F(ForwardingTest, IsTurnedOnForTheFamiliesOfNetworks) {
  Netlink netlink;
  ensure_sysctl("net/ipv4/ip_forward", "0");
  ensure_forwarding(netlink, std::vector<IpNet>{});
  EXPECT_FALSE(is_forwarding(netlink, Family::v4));
  ensure_forwarding(netlink, {*IpNet::parse("fd00::1/64"), *IpNet::parse("fd01::1/64")});
  EXPECT_FALSE(is_forwarding(netlink, Family::v4));
  EXPECT_TRUE(is_forwarding(netlink, Family::v6));
  ensure_forwarding(netlink, {*IpNet::parse("10.0.0.1/8")});
  EXPECT_TRUE(is_forwarding(netlink, Family::v4));
}

}  // namespace
}  // namespace unicni::net::forwarding_test
