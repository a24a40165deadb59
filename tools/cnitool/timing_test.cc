#include "timing.h"

#include <gtest/gtest.h>

namespace unicni::cnitool::timing_test {
namespace {

using std::chrono::microseconds;

TEST(Timing, AddsUpByMemberAndPhase) {
  Timing timing;
  timing.on_event({"bridge", Phase::netlink, "get link", microseconds(100)});
  timing.on_event({"bridge", Phase::load, "bridge.so", microseconds(20)});
  timing.on_event({"tuning", Phase::load, "tuning.so", microseconds(30)});
  timing.on_event({"bridge", Phase::netlink, "new link", microseconds(400)});
  timing.on_event({"", Phase::program, "VERSION /x", microseconds(5)});
  EXPECT_EQ(timing.report(microseconds(1234)).text({}),
            "MEMBER  PHASE           COUNT  MS\n"
            "bridge  load            1      0.020\n"
            "bridge  netlink         2      0.500\n"
            "tuning  load            1      0.030\n"
            "-       process         1      0.005\n"
            "-       the whole verb  1      1.234\n");
}

}  // namespace
}  // namespace unicni::cnitool::timing_test
