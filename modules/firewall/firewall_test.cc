#include <gtest/gtest.h>

#include "config.h"
#include "unicni/error.h"

namespace unicni::firewall::firewall_test {
namespace {

FirewallOptions good() {
  FirewallOptions options;
  options.backend = "nftables";
  options.admin_chain = "CNI-ADMIN";
  return options;
}

unsigned refusal(const FirewallOptions& options) {
  try {
    validate(options);
    return 0;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(FirewallOptions, AcceptsTheDefaults) { EXPECT_EQ(refusal(good()), 0U); }

TEST(FirewallOptions, PoliciesAreTheReferences) {
  FirewallOptions options = good();
  for (const char* open : {"", "open"}) {
    options.ingress_policy = open;
    EXPECT_FALSE(ingress_policy(options)) << open;
  }
  options.ingress_policy = "same-bridge";
  EXPECT_EQ(ingress_policy(options), net::IngressPolicy::same_bridge);
  options.ingress_policy = "isolated";
  EXPECT_EQ(ingress_policy(options), net::IngressPolicy::isolated);
}

TEST(FirewallOptions, RefusesChainsThatAreNone) {
  FirewallOptions options = good();
  for (const char* name :
       {"", "-j", "A B", "CNI-FORWARD", "FORWARD", "a'b", "twenty-nine-bytes-are-too-many"}) {
    options.admin_chain = name;
    EXPECT_EQ(refusal(options), 7U) << name;
  }
  options.admin_chain = "ADMIN_1";
  EXPECT_EQ(refusal(options), 0U);
}

TEST(FirewallOptions, RefusesZonesThatAreNone) {
  FirewallOptions options = good();
  options.backend = "firewalld";
  for (const char* name : {"", "a b", "/a", "a/", "a/b/c", "a\n", "a'b", "a,b"}) {
    options.zone = name;
    EXPECT_EQ(refusal(options), 7U) << name;
  }
  for (const char* name : {"trusted", "FedoraServer", "my_zone-2", "set/zone"}) {
    options.zone = name;
    EXPECT_EQ(refusal(options), 0U) << name;
  }
  options.zone = "";
  options.backend = "nftables";
  EXPECT_EQ(refusal(options), 0U) << "nobody reads it";
}

TEST(FirewallOptions, Ip6tablesIsAnotherWordForIptables) {
  FirewallOptions options = good();
  for (const char* name : {"iptables", "ip6tables"}) {
    options.backend = name;
    EXPECT_EQ(refusal(options), 0U) << name;
    EXPECT_TRUE(options.uses_iptables()) << name;
  }
}

TEST(FirewallOptions, NoneDoesNothing) {
  FirewallOptions options = good();
  for (const char* name : {"nftables", "iptables", "none"}) {
    options.backend = name;
    EXPECT_EQ(refusal(options), 0U) << name;
  }
  EXPECT_TRUE(options.does_nothing());
}

}  // namespace
}  // namespace unicni::firewall::firewall_test
