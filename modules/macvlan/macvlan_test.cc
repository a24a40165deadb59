#include "unicni/net/macvlan.h"

#include <gtest/gtest.h>

#include "base/error_for_test.h"
#include "config.h"

namespace unicni::macvlan::macvlan_test {
namespace {

std::string refusal(const MacvlanOptions& options) {
  return refusal_of([&] { validate(options); });
}

TEST(MacvlanOptions, AcceptsTheDefaults) { EXPECT_EQ(refusal({}), ""); }

TEST(MacvlanOptions, EveryModeIsTheKernels) {
  const auto mode = [](const char* text) {
    MacvlanOptions options;
    options.mode = text;
    return mode_of(options);
  };
  EXPECT_EQ(mode(""), net::MacvlanMode::bridge);
  EXPECT_EQ(mode("bridge"), net::MacvlanMode::bridge);
  EXPECT_EQ(mode("private"), net::MacvlanMode::private_);
  EXPECT_EQ(mode("vepa"), net::MacvlanMode::vepa);
  EXPECT_EQ(mode("passthru"), net::MacvlanMode::passthru);
}

TEST(MacvlanOptions, RefusesWhatNoParentCanBe) {
  MacvlanOptions options;
  options.master = "a/b";
  EXPECT_NE(refusal(options).find("master"), std::string::npos);
  options.master = "eth0.100";
  EXPECT_EQ(refusal(options), "");
  options.mtu = 67;
  EXPECT_NE(refusal(options).find("mtu"), std::string::npos);
}

TEST(MacvlanOptions, TheStrongestMacCountsAndMustBePossible) {
  MacvlanOptions options;
  EXPECT_FALSE(options.mac());
  options.config_mac = Mac::parse("01:00:5e:00:00:01");
  EXPECT_NE(refusal(options).find("01:00:5e:00:00:01"), std::string::npos);
  options.cni_args_mac = Mac::parse("02:00:00:00:00:02");
  EXPECT_EQ(refusal(options), "") << "the weaker one isn't used";
  EXPECT_EQ(options.mac(), options.cni_args_mac);
  options.runtime_mac = Mac::parse("02:00:00:00:00:03");
  EXPECT_EQ(options.mac(), options.runtime_mac);
}

TEST(MacvlanOptions, TheParentIsWhatTheKeysSay) {
  MacvlanOptions options;
  options.master = "eth7";
  options.link_in_container = true;
  options.mtu = 1400;
  const ParentChoice parent = options.parent();
  EXPECT_EQ(parent.master, "eth7");
  EXPECT_TRUE(parent.in_container);
  EXPECT_EQ(parent.mtu, 1400);
}

}  // namespace
}  // namespace unicni::macvlan::macvlan_test
