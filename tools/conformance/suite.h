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
  /// What the check needs before its own question didn't work, took too long, or had no answer.
  blocked,
  not_applicable,  ///< another kind of plugin, or no such version
};
std::string to_string(Outcome outcome);

struct Verdict {
  Check check;
  Outcome outcome = Outcome::passed;
  Findings findings = {};  ///< of Outcome::violated
  std::string why = {};    ///< of Outcome::blocked
  std::chrono::milliseconds took{};
  bool is_begun = true;  ///< false: blocked as the suite had stopped before
};

struct Limits {
  std::chrono::milliseconds call{5000};  ///< of one call of the plugin
  std::chrono::milliseconds check{30000};
  std::chrono::milliseconds all{60000};  ///< later checks are blocked
};

/// One check, in namespaces of its own.
Verdict run_check(const Check& check, const Subject& subject, const Limits& limits = {});

/// What a run of checks came to.
struct Course {
  std::vector<Verdict> verdicts;
  /// Why the rest of the checks was not begun: no time, or a plugin that doesn't answer. Empty: all
  /// were.
  std::string stopped = {};
  std::string failing_add = {};  ///< how a good ADD ended, if it failed: most checks need one
};

/// All checks that have one of `ids`, or all if `ids` is empty; `heard` (may be null) gets each
/// verdict when it is there. The first one calls the plugin by every verb, whatever `ids` are: it
/// shows whether the plugin answers, and whether a good ADD works. It is among the verdicts also if
/// a call of any check had no answer. Throws CannotRun if the host can't be made ready.
Course run_suite(const Subject& subject, const std::vector<std::string>& ids, const Limits& limits,
                 const std::function<void(const Verdict&)>& heard);

/// Of the level must, and violated.
bool is_failure(const Verdict& verdict);
/// Of the level must, and blocked.
bool is_open(const Verdict& verdict);

enum class Conformity {
  conforming,      ///< each check of the level must was made, and found nothing
  not_conforming,  ///< a requirement of that level is violated
  undecided,       ///< neither: a check of that level was blocked, or no check was made
};
Conformity conformity_of(const std::vector<Verdict>& verdicts);
std::string to_string(Conformity conformity);

}  // namespace unicni::conformance
