#include "timing.h"

#include <gtest/gtest.h>

namespace unicni::cnitool::timing_test {
namespace {

using std::chrono::microseconds;

TEST(Timing, AddsUpByMemberAndPhase) {
  Timing timing;
  const auto hear = [&](std::size_t place, const char* member, Phase phase, microseconds time) {
    timing.on_event({member, phase, "object", time, 0, false, place});
  };
  hear(0, "bridge", Phase::netlink, microseconds(100));
  hear(0, "bridge", Phase::load, microseconds(20));
  hear(1, "tuning", Phase::load, microseconds(30));
  hear(2, "tuning", Phase::load, microseconds(40));
  hear(0, "bridge", Phase::netlink, microseconds(400));
  hear(1, "tuning", Phase::load, microseconds(1));
  timing.on_event({"", Phase::program, "VERSION /x", microseconds(5)});
  EXPECT_EQ(timing.report(microseconds(1234)).text({}),
            "PLACE  MEMBER  PHASE           COUNT  MS\n"
            "1      bridge  load            1      0.020\n"
            "1      bridge  netlink         2      0.500\n"
            "2      tuning  load            2      0.031\n"
            "3      tuning  load            1      0.040\n"
            "-      -       process         1      0.005\n"
            "-      -       the whole verb  1      1.234\n");
}

}  // namespace
}  // namespace unicni::cnitool::timing_test
