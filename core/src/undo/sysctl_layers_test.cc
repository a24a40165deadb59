#include "undo/sysctl_layers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <list>

#include "unicni/undo/host_link.h"
#include "unicni/undo/sysctl.h"

namespace unicni::undo::sysctl_layers_test {
namespace {

class SysctlLayers : public testing::Test {
 protected:
  using Step = std::vector<Undo>;
  static constexpr const char* kKey = "net/ipv4/conf/all/arp_ignore";
  /// The steps but for `without`.
  [[nodiscard]] OtherSteps others(const std::vector<const Step*>& without) const {
    OtherSteps others;
    for (const Step& step : steps_) {
      if (std::ranges::find(without, &step) == without.end()) others.push_back(&step);
    }
    return others;
  }
  Step& put(const std::string& found, const std::string& set) {
    const auto record = as_top_layer(undo_sysctl(kKey, found, set), others({}));
    if (record) steps_.push_back({undo_sysctl("net/ipv4/conf/all/arp_filter", "0"), *record});
    EXPECT_TRUE(record);
    return steps_.back();
  }
  std::optional<Undo> undone(const Step& step, std::vector<const Step*> gone = {}) const {
    gone.push_back(&step);
    return without_layer(step[1], others(gone));
  }
  std::list<Step> steps_;
};

TEST_F(SysctlLayers, WhatComesBackIsTheLayerBelowOrTheOriginal) {
  const Step& low = put("0", "1");
  const Step& middle = put("1", "2");
  const Step& high = put("2", "1");
  EXPECT_EQ(undone(low), std::nullopt);
  EXPECT_EQ(undone(middle), std::nullopt);
  EXPECT_EQ(undone(high), undo_sysctl(kKey, "2"));
  EXPECT_EQ(undone(high, {&middle}), undo_sysctl(kKey, "1"));
  EXPECT_EQ(undone(high, {&low, &middle}), undo_sysctl(kKey, "0"));
  EXPECT_EQ(undone(middle, {&high, &low}), undo_sysctl(kKey, "0"));
  EXPECT_EQ(undone(low, {&high, &middle}), undo_sysctl(kKey, "0"));
}

TEST_F(SysctlLayers, WhatChangesNothingIsALayerOnlyOnAnother) {
  EXPECT_EQ(as_top_layer(undo_sysctl(kKey, "1\t2", "1 2"), {}), std::nullopt);
  const Step& low = put("0", "1");
  const Step& equal = put("1", "1");
  EXPECT_EQ(undone(low), std::nullopt);
  EXPECT_EQ(undone(equal, {&low}), undo_sysctl(kKey, "0"));
}

/// Versions before wrote neither layers nor what they set.
TEST_F(SysctlLayers, RecordsOfFormerVersionsGoBackToTheOriginalAtLast) {
  Undo second = undo_sysctl(kKey, "1");
  second.fields.emplace_back("oldest", "0");
  const Step first = {undo_sysctl(kKey, "0")};
  EXPECT_EQ(without_layer(second, {&first}), second);
  EXPECT_EQ(without_layer(second, {}), undo_sysctl(kKey, "0"));
  EXPECT_EQ(without_layer(first[0], {}), first[0]);
}

TEST_F(SysctlLayers, OtherRecordsAreNone) {
  EXPECT_FALSE(is_layer(undo_host_link("b0", "ifb", "net/c1/eth0")));
  EXPECT_TRUE(is_layer(undo_sysctl(kKey, "0")));
}

}  // namespace
}  // namespace unicni::undo::sysctl_layers_test
