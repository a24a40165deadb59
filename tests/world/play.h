// A scenario played in a process of its own.
#pragma once

#include <string>

#include "world/scenario.h"

namespace unicni::test::world {

/// How a scenario ended.
struct Verdict {
  bool broken = false;
  std::string kind;
  std::string text;
  int step = -1;  ///< index of the step after which it was seen; that many: at the end
  std::string script;
};

/// Plays it in a child process, whose namespaces go with it.
Verdict play(const Scenario& scenario);

}  // namespace unicni::test::world
