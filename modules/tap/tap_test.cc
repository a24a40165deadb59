#include <gtest/gtest.h>

#include "base/error_for_test.h"
#include "config.h"

namespace unicni::tap::tap_test {
namespace {

std::string refusal(const TapOptions& options) {
  return refusal_of([&] { validate(options); });
}

TEST(TapOptions, AcceptsTheDefaults) { EXPECT_EQ(refusal(TapOptions()), ""); }

TEST(TapOptions, TheStrongestMacWins) {
  TapOptions options;
  EXPECT_FALSE(options.mac());
  options.config_mac = Mac::parse("02:00:00:00:00:01");
  EXPECT_EQ(options.mac()->str(), "02:00:00:00:00:01");
  options.cni_args_mac = Mac::parse("02:00:00:00:00:02");
  EXPECT_EQ(options.mac()->str(), "02:00:00:00:00:02");
  options.runtime_mac = Mac::parse("02:00:00:00:00:03");
  EXPECT_EQ(options.mac()->str(), "02:00:00:00:00:03");
}

TEST(TapOptions, RefusesAMacThatNoInterfaceHas) {
  TapOptions options;
  options.config_mac = Mac::parse("01:00:5e:00:00:01");
  EXPECT_NE(refusal(options).find("mac 01:00:5e:00:00:01"), std::string::npos);
  options.config_mac = Mac();
  EXPECT_NE(refusal(options), "");
}

TEST(TapOptions, RefusesAMtuThatNoLinkHas) {
  TapOptions options;
  options.mtu = 68;
  EXPECT_EQ(refusal(options), "");
  options.mtu = 67;
  EXPECT_NE(refusal(options).find("mtu: 67"), std::string::npos);
}

TEST(TapOptions, RefusesABridgeThatIsNoName) {
  TapOptions options;
  options.bridge = "br0";
  EXPECT_EQ(refusal(options), "");
  options.bridge = "a/b";
  EXPECT_NE(refusal(options).find("bridge: \"a/b\""), std::string::npos);
}

}  // namespace
}  // namespace unicni::tap::tap_test
