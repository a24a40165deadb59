#include <gmock/gmock.h>

#include <memory>

#include "config.h"
#include "ifb.h"
#include "unicni/error.h"
#include "unicni/module.h"

extern "C" const unicni::ModuleDescriptor unicni_module_bandwidth;

namespace unicni::bandwidth::bandwidth_test {
namespace {

using testing::HasSubstr;

TEST(Directions, NothingIsNoLimit) {
  const Directions none = directions({});
  EXPECT_FALSE(none.ingress || none.egress);
  BandwidthOptions zeros;
  zeros.ingress_rate = zeros.ingress_burst = zeros.egress_rate = zeros.egress_burst = 0;
  EXPECT_FALSE(directions(zeros).ingress || directions(zeros).egress);
}

TEST(Directions, OneKeyOfTheConfigurationHidesTheRuntimes) {
  BandwidthOptions options;
  options.runtime = Limits{1000, 2000, 3000, 4000};
  EXPECT_EQ(directions(options).ingress, (Limit{1000, 2000}));
  EXPECT_EQ(directions(options).egress, (Limit{3000, 4000}));
  options.egress_burst = 0;
  EXPECT_FALSE(directions(options).ingress || directions(options).egress);
  options.ingress_rate = 800;
  options.ingress_burst = 80;
  EXPECT_EQ(directions(options).ingress, (Limit{800, 80}));
}

TEST(Directions, BurstOfContainerdIsFine) {
  BandwidthOptions options;
  options.runtime = Limits{{}, {}, 10'000'000, 4294967295};
  EXPECT_EQ(directions(options).egress, (Limit{10'000'000, 4294967295}));
}

TEST(Directions, ARateAloneHasTheDefaultBurst) {
  BandwidthOptions options;
  options.ingress_rate = 1000;
  options.egress_rate = 1000;
  options.egress_burst = 0;
  EXPECT_EQ(directions(options).ingress, (Limit{1000, 0}));
  EXPECT_EQ(directions(options).egress, (Limit{1000, 0}));
}

TEST(DefaultBurst, IsATenthOfASecondButTenPacketsAndFitsThirtyOneBits) {
  EXPECT_EQ(default_burst(1'000'000, 1500), 15'000U * 8) << "10 packets are more than 12,500 bytes";
  EXPECT_EQ(default_burst(1'000'000, 1000), 12'500U * 8);
  EXPECT_EQ(default_burst(8, 1500), 15'000U * 8);
  EXPECT_EQ(default_burst(10'000'000'000, 1500), 125'000'000U * 8);
  EXPECT_EQ(default_burst(171'798'691'760, 1500), 2'147'483'647U * 8ULL) << "just so";
  EXPECT_EQ(default_burst(9'000'000'000'000'000'000, 65535), 2'147'483'647U * 8ULL);
  EXPECT_EQ(default_burst(0, 4'294'967'295), 2'147'483'647U * 8ULL);
}

TEST(Directions, WhatMakesNoSenseIsRefused) {
  struct Case {
    std::optional<std::int64_t> rate, burst;
    const char* text;
  };
  for (const Case& each :
       {Case{{}, 1000, "egressBurst 1000: if burst is set, rate must also be set"},
        Case{0, 1000, "if burst is set, rate must also be set"},
        Case{7, 1000, "egressRate 7: is less than a byte a second"},
        Case{1000, 7, "egressBurst 7: is less than a byte"},
        Case{1000, 34359738360, "egressBurst 34359738360: burst cannot be more than 4GB"}}) {
    BandwidthOptions options;
    options.egress_rate = each.rate;
    options.egress_burst = each.burst;
    try {
      static_cast<void>(directions(options));
      ADD_FAILURE() << each.text;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_config));
      EXPECT_THAT(error.msg(), HasSubstr(each.text));
    }
  }
}

TEST(IfbName, IsTheReferencesOrHasTheInterfaceInIt) {
  Call call;
  call.key.network = "mynet";
  call.key.container_id = "ctr1";
  call.key.if_name = "eth0";
  EXPECT_EQ(shared_name(call), "bwp5145007e2a84");
  const std::string eth0 = own_name(call);
  EXPECT_EQ(eth0.size(), 15U);
  call.key.if_name = "eth1";
  EXPECT_EQ(shared_name(call), "bwp5145007e2a84");
  EXPECT_NE(own_name(call), eth0);
}

TEST(BandwidthModule, NeedsAPluginBeforeIt) {
  const std::unique_ptr<Module, void (*)(Module*) noexcept> module(unicni_module_bandwidth.create(),
                                                                   unicni_module_bandwidth.destroy);
  const BandwidthOptions options;
  Call call;
  call.type = "bandwidth";
  call.parsed_options = &options;
  EXPECT_THROW(module->validate(call), Error);
  call.step = 1;
  EXPECT_NO_THROW(module->validate(call)) << "in a list the plugin before makes it";
  call.command = Command::check;
  EXPECT_THROW(module->validate(call), Error);
  call.prev_result.emplace();
  EXPECT_NO_THROW(module->validate(call));
  call.command = Command::status;
  call.prev_result.reset();
  EXPECT_NO_THROW(module->validate(call));
}

}  // namespace
}  // namespace unicni::bandwidth::bandwidth_test
