#include <gtest/gtest.h>

#include "base/error_for_test.h"
#include "config.h"

namespace unicni::vlan::vlan_test {
namespace {

std::string refusal(const VlanOptions& options) {
  return refusal_of([&] { validate(options); });
}

VlanOptions good() {
  VlanOptions options;
  options.master = "eth0";
  options.vlan_id = 4094;
  return options;
}

TEST(VlanOptions, AMasterIsRequired) {
  EXPECT_EQ(refusal(good()), "");
  VlanOptions options = good();
  options.master = "";
  EXPECT_EQ(refusal(options), "master: it is required and empty");
  options.master = "sixteen-bytes-xx";
  EXPECT_NE(refusal(options).find("no name for a link"), std::string::npos);
}

TEST(VlanOptions, RefusesAMtuBelowIpv4Minimum) {
  VlanOptions options = good();
  options.mtu = 67;
  EXPECT_NE(refusal(options).find("mtu"), std::string::npos);
  options.mtu = 68;
  EXPECT_EQ(refusal(options), "");
}

TEST(VlanOptions, TheParentIsWhatTheKeysSay) {
  VlanOptions options = good();
  options.link_in_container = true;
  options.mtu = 1400;
  const ParentChoice parent = options.parent();
  EXPECT_EQ(parent.master, "eth0");
  EXPECT_TRUE(parent.in_container);
  EXPECT_EQ(parent.mtu, 1400);
  EXPECT_EQ(options.id(), 4094);
}

}  // namespace
}  // namespace unicni::vlan::vlan_test
