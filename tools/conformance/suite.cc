#include "conformance/suite.h"

#include <algorithm>
#include <csignal>
#include <string_view>

#include "conformance/silence.h"
#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
}

/// A check's verdict, and what else its calls tell.
struct Heard {
  Verdict verdict;
  Calls calls = {};
  std::string failing_add = {};
  bool cannot_run = false;  ///< the profile's commands fail
};

/// What a check found, as it comes out of its namespaces.
Json try_check(const Check& check, const Subject& subject, std::chrono::milliseconds limit) {
  Json told = {{"findings", Json::array()}};
  try {
    Trial trial(subject, check, limit);
    try {
      check.run(trial);
    } catch (const CannotRun&) {
      throw;
    } catch (const Json::exception& error) {
      told["blocked"] = std::string("what the plugin printed has another form: ") + error.what();
    } catch (const std::exception& error) {
      told["blocked"] = error.what();
    }
    for (const Finding& finding : trial.findings()) {
      told["findings"].push_back({{"id", finding.id}, {"text", finding.text}});
    }
    if (trial.is_unproven() && !told.contains("blocked")) {
      told["blocked"] = "ADD fails anyway: " + subject.failing_add();
    }
    told["failing_add"] = trial.failing_add();
    told["answered"] = trial.calls().answered;
    told["in_a_row"] = trial.calls().silent_in_a_row;
    told["silent"] = trial.calls().silent;
  } catch (const CannotRun& error) {
    told["cannot_run"] = error.what();
  }
  return told;
}

/// Signals by which a process ends through its own fault.
bool is_crash(int signal) {
  return signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS || signal == SIGILL ||
         signal == SIGFPE;
}

/// Of a check without a result.
void blocked(Heard& heard, const Isolated& done) {
  heard.verdict.outcome = Outcome::blocked;
  heard.verdict.why = done.text;
  if (done.signal == 0 || is_crash(done.signal)) return;
  heard.verdict.why = "the plugin's caller got signal " + std::to_string(done.signal) +
                      ", which came from the plugin, or from a kernel without memory";
  heard.calls.silent_in_a_row = 1;
  heard.calls.silent.push_back(heard.verdict.why);
}

void read_told(Heard& heard, const Json& told) {
  Verdict& verdict = heard.verdict;
  for (const Json& finding : told.at("findings")) {
    verdict.findings.push_back({finding.at("id"), finding.at("text")});
  }
  for (const char* why : {"blocked", "cannot_run"}) {
    if (!told.contains(why)) continue;
    verdict.outcome = Outcome::blocked;
    verdict.why = told[why];
  }
  heard.cannot_run = told.contains("cannot_run");
  if (heard.cannot_run) return;
  if (!verdict.findings.empty()) verdict.outcome = Outcome::violated;
  heard.failing_add = told.at("failing_add");
  heard.calls = {.answered = told.at("answered"),
                 .silent_in_a_row = told.at("in_a_row"),
                 .silent = told.at("silent").get<std::vector<std::string>>()};
}

Heard hear_check(const Check& check, const Subject& subject, const Limits& limits) {
  Heard heard{.verdict = {.check = check}};
  if (!applies(check, subject)) {
    heard.verdict.outcome = Outcome::not_applicable;
    return heard;
  }
  const auto start = Clock::now();
  const Isolated done = isolated(
      [&] {
        // What a plugin prints may be no UTF-8.
        return try_check(check, subject, limits.call)
            .dump(-1, ' ', false, Json::error_handler_t::replace);
      },
      limits.check, subject.needs());
  heard.verdict.took = since(start);
  if (done.finished) {
    read_told(heard, parse_json(done.text));
  } else {
    blocked(heard, done);
  }
  return heard;
}

bool is_asked_for(const Check& check, const std::vector<std::string>& ids) {
  if (ids.empty()) return true;
  const std::vector<std::string> its = ids_of(check);
  return std::any_of(ids.begin(), ids.end(), [&](const std::string& id) {
    return std::find(its.begin(), its.end(), id) != its.end();
  });
}

bool is_opening(const Check& check) { return std::string_view(check.ids) == kAnswerId; }

/// A run of checks: the opening first.
class Suite {
 public:
  Suite(const Subject& subject, const std::vector<std::string>& ids, const Limits& limits)
      : subject_(subject),
        ids_(ids),
        limits_(limits),
        in_a_row_(subject.silence().empty() ? 0 : 1) {}

  Course run(const std::function<void(const Verdict&)>& heard) {
    for (const Check& check : all_checks()) {
      const bool is_asked = is_asked_for(check, ids_);
      if (!is_asked && !is_opening(check)) continue;
      course_.verdicts.push_back(next(check));
      if (heard && is_asked) heard(course_.verdicts.back());
    }
    finish();
    return std::move(course_);
  }

 private:
  Verdict next(const Check& check) {
    Limits left = limits_;
    left.check = std::min(limits_.check, limits_.all - since(start_));
    if (course_.stopped.empty() && left.check.count() <= 0) time_is_up();
    if (!course_.stopped.empty()) {
      return {.check = check,
              .outcome = applies(check, subject_) ? Outcome::blocked : Outcome::not_applicable,
              .why = course_.stopped,
              .is_begun = false};
    }
    Heard heard = hear_check(check, subject_, left);
    take(heard);
    if (left.check < limits_.check && since(start_) >= limits_.all) {
      time_is_up();
      if (heard.verdict.outcome == Outcome::blocked) heard.verdict.why = course_.stopped;
    }
    return std::move(heard.verdict);
  }

  void take(const Heard& heard) {
    const Check& check = heard.verdict.check;
    if (is_opening(check)) {
      if (heard.cannot_run) throw CannotRun(heard.verdict.why, "");
      subject_.set_failing_add(heard.failing_add);
      course_.failing_add = heard.failing_add;
    }
    if (heard.verdict.findings.empty() || !is_opening(check)) {
      for (const std::string& silent : heard.calls.silent) {
        unanswered_.push_back(silent + ", in the check \"" + check.what + "\" (" + check.ids + ')');
      }
    }
    if (heard.verdict.outcome == Outcome::not_applicable) return;
    const int before = heard.calls.answered > 0 ? 0 : in_a_row_;
    in_a_row_ = before + heard.calls.silent_in_a_row;
    if (in_a_row_ >= kSilentInARow && course_.stopped.empty()) {
      course_.stopped = "the plugin doesn't answer: " + std::to_string(in_a_row_) +
                        " calls in a row, of at most " + in_seconds(limits_.call) +
                        " each (--call-limit)";
    }
  }

  void time_is_up() { course_.stopped = "the time for all checks was up (--time-limit)"; }

  /// The opening's verdict has the calls of all checks that had no answer.
  void finish() {
    Verdict& opening = course_.verdicts.front();
    for (const std::string& text : unanswered_) opening.findings.push_back({kAnswerId, text});
    if (!opening.findings.empty()) opening.outcome = Outcome::violated;
    const bool is_wanted = is_asked_for(opening.check, ids_) || !opening.findings.empty();
    if (!is_wanted) course_.verdicts.erase(course_.verdicts.begin());
  }

  Subject subject_;
  const std::vector<std::string>& ids_;
  const Limits limits_;
  const Clock::time_point start_ = Clock::now();
  Course course_;
  int in_a_row_;
  std::vector<std::string> unanswered_;
};

}  // namespace

std::string to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed:
      return "passed";
    case Outcome::violated:
      return "violated";
    case Outcome::blocked:
      return "blocked";
    case Outcome::not_applicable:
      return "not applicable";
  }
  return "?";
}

Verdict run_check(const Check& check, const Subject& subject, const Limits& limits) {
  return hear_check(check, subject, limits).verdict;
}

Course run_suite(const Subject& subject, const std::vector<std::string>& ids, const Limits& limits,
                 const std::function<void(const Verdict&)>& heard) {
  return Suite(subject, ids, limits).run(heard);
}

bool is_failure(const Verdict& verdict) {
  return verdict.outcome == Outcome::violated && verdict.check.level == Level::must;
}

bool is_open(const Verdict& verdict) {
  return verdict.outcome == Outcome::blocked && verdict.check.level == Level::must;
}

Conformity conformity_of(const std::vector<Verdict>& verdicts) {
  if (std::any_of(verdicts.begin(), verdicts.end(), &is_failure)) {
    return Conformity::not_conforming;
  }
  const bool is_made = std::any_of(verdicts.begin(), verdicts.end(), [](const Verdict& verdict) {
    return verdict.outcome == Outcome::passed || verdict.outcome == Outcome::violated;
  });
  const bool has_open = std::any_of(verdicts.begin(), verdicts.end(), &is_open);
  return is_made && !has_open ? Conformity::conforming : Conformity::undecided;
}

std::string to_string(Conformity conformity) {
  switch (conformity) {
    case Conformity::conforming:
      return "conforming";
    case Conformity::not_conforming:
      return "not conforming";
    case Conformity::undecided:
      return "undecided";
  }
  return "?";
}

}  // namespace unicni::conformance
