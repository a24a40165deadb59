// The shortest sequence that breaks in the same way.
#pragma once

#include <chrono>

#include "world/play.h"

namespace unicni::test::world {

struct Shrunk {
  Scenario scenario;
  Verdict verdict;
  int replays = 0;
};

/// `verdict` is what play(scenario) said. Stops when nothing can be left out any more, or after
/// that time.
Shrunk shrink(Scenario scenario, Verdict verdict, std::chrono::seconds time);

}  // namespace unicni::test::world
