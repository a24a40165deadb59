// Runs checks over a plugin.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "conformance/check.h"

namespace unicni::conformance {

enum class Outcome {
  passed,
  violated,
  blocked,         ///< what the check needs before its own question didn't work, or took too long
  not_applicable,  ///< another kind of plugin, or no such version
};
std::string to_string(Outcome outcome);

struct Verdict {
  Check check;
  Outcome outcome = Outcome::passed;
  Findings findings = {};  ///< of Outcome::violated
  std::string why = {};    ///< of Outcome::blocked
  std::chrono::milliseconds took{};
};

struct Limits {
  std::chrono::milliseconds call{5000};  ///< of one call of the plugin
  std::chrono::milliseconds check{30000};
  std::chrono::milliseconds all{60000};  ///< later checks are blocked
};

/// One check, in namespaces of its own.
Verdict run_check(const Check& check, const Subject& subject, const Limits& limits = {});

/// All of them that have one of `ids`, or all if `ids` is empty; `heard` (may be null) gets each
/// verdict when it is there.
std::vector<Verdict> run_suite(const Subject& subject, const std::vector<std::string>& ids,
                               const Limits& limits,
                               const std::function<void(const Verdict&)>& heard);

/// A requirement of the level "must" is violated, or a check of that level couldn't be made.
bool is_failure(const Verdict& verdict);

}  // namespace unicni::conformance
