#include "unicni/nearest.h"

#include <gtest/gtest.h>

namespace unicni::options::nearest_test {
namespace {

const std::vector<std::string_view> kKnown = {
    "bridge", "isGateway", "isDefaultGateway", "ipMasq", "mtu", "vlan", "ips"};

TEST(NearestKey, FindsTypingErrors) {
  EXPECT_EQ(nearest_key("brigde", kKnown), "bridge") << "swapped neighbours are one error";
  EXPECT_EQ(nearest_key("isgatway", kKnown), "isGateway");
  EXPECT_EQ(nearest_key("ipMask", kKnown), "ipMasq");
  EXPECT_EQ(nearest_key("mut", kKnown), "mtu");
  EXPECT_EQ(nearest_key("vlans", kKnown), "vlan");
  EXPECT_EQ(nearest_key("is_default_gateway", kKnown), "isDefaultGateway");
}

TEST(NearestKey, LetterCaseIsNoError) { EXPECT_EQ(nearest_key("IPS", kKnown), "ips"); }

TEST(NearestKey, SaysNothingRatherThanNonsense) {
  EXPECT_EQ(nearest_key("subnet", kKnown), "");
  EXPECT_EQ(nearest_key("x", kKnown), "");
  EXPECT_EQ(nearest_key("mac", kKnown), "");
  EXPECT_EQ(nearest_key("", kKnown), "");
  EXPECT_EQ(nearest_key("bridge", {}), "");
  EXPECT_EQ(nearest_key(std::string(1000000, 'm'), kKnown), "");
}

TEST(NearestKey, TheNearestOfSeveralIsTaken) {
  EXPECT_EQ(nearest_key("isGateways", kKnown), "isGateway");
}

}  // namespace
}  // namespace unicni::options::nearest_test
