#include "unicni/net/sysctl.h"

#include <gmock/gmock.h>

#include <deque>

#include "net/private_netns_for_test.h"
#include "unicni/error.h"

namespace unicni::net::sysctl_test {
namespace {

class SysctlTest : public PrivateNetnsTest {};

TEST_F(SysctlTest, ReadsAndWritesInTheNamespaceAskedFor) {
  const NewNetns other;
  const Netns inside = other.open();
  ASSERT_TRUE(ensure_sysctl("net/ipv4/ip_forward", "0"));
  ASSERT_TRUE(ensure_sysctl("net/ipv4/ip_forward", "1", {.in = &inside}));
  EXPECT_EQ("0", find_sysctl("net/ipv4/ip_forward"));
  EXPECT_EQ("1", find_sysctl("net/ipv4/ip_forward", {.in = &inside}));
}

/// Where the settings are reached by a mount of our own.
TEST_F(SysctlTest, AmongManyNamespacesValuesAreTheCallersToo) {
  // How many it takes depends on what others have freed a moment ago.
  std::deque<NewNetns> many(40);
  while (many.size() < 400 && !many.back().open().is_one_of_many()) many.emplace_back();
  const Netns inside = many.back().open();
  ASSERT_TRUE(inside.is_one_of_many());
  ASSERT_TRUE(settings_beside(inside));
  const SysctlScope here{.young = &inside};
  ASSERT_TRUE(ensure_sysctl("net/ipv4/ip_forward", "0", here));
  ASSERT_TRUE(ensure_sysctl("net/ipv4/ip_forward", "1", {.in = &inside}));
  EXPECT_EQ("0", find_sysctl("net/ipv4/ip_forward", here));
  EXPECT_EQ("1", find_sysctl("net/ipv4/ip_forward", {.in = &inside}));
  EXPECT_FALSE(find_sysctl("net/ipv4/conf/nothere/arp_notify", here));
  EXPECT_TRUE(set_sysctl("net/ipv4/conf/lo/arp_notify", "1", &inside));
  EXPECT_EQ("1", find_sysctl("net/ipv4/conf/lo/arp_notify"));
  EXPECT_EQ("0\n", shell("cat /proc/sys/net/ipv4/ip_forward")) << "in the /proc of all";
}

TEST_F(SysctlTest, AbsentSettings) {
  EXPECT_FALSE(find_sysctl("net/ipv4/conf/nothere/arp_notify"));
  EXPECT_FALSE(ensure_sysctl("net/ipv4/conf/nothere/arp_notify", "1"));
}

TEST_F(SysctlTest, EqualValuesAreNotWritten) {
  // This one is read-only here: writing would fail.
  const auto value = find_sysctl("net/netfilter/nf_conntrack_buckets");
  if (!value) GTEST_SKIP() << "no conntrack in this kernel";
  EXPECT_TRUE(ensure_sysctl("net/netfilter/nf_conntrack_buckets", *value));
}

TEST_F(SysctlTest, ListsCompareByTheirNumbers) {
  ASSERT_TRUE(ensure_sysctl("net/ipv4/ip_local_port_range", "20000 30000"));
  EXPECT_EQ("20000\t30000", find_sysctl("net/ipv4/ip_local_port_range"));
  EXPECT_TRUE(ensure_sysctl("net/ipv4/ip_local_port_range", " 20000  30000\n"));
}

TEST_F(SysctlTest, RefusedValuesAreErrors) {
  EXPECT_THROW(ensure_sysctl("net/ipv4/ip_local_port_range", "nonsense"), Error);
}

TEST_F(SysctlTest, KeysStayBelowNet) {
  for (const std::string key : {"kernel/hostname", "net/../kernel/hostname", "/net/ipv4/ip_forward",
                                "net/..", "../net/ipv4/ip_forward", ""}) {
    EXPECT_THROW((void)find_sysctl(key), Error) << key;
    EXPECT_THROW(ensure_sysctl(key, "1"), Error) << key;
  }
}

}  // namespace
}  // namespace unicni::net::sysctl_test
