// Scenarios from seeds.
#pragma once

#include "world/scenario.h"

namespace unicni::test::world {

/// The same seed makes the same scenario, as long as the generator is the same.
Scenario generate(unsigned seed);

}  // namespace unicni::test::world
