#include "conformance/suite.h"

#include <algorithm>

#include "conformance/trial.h"

namespace unicni::conformance {
namespace {

using Clock = std::chrono::steady_clock;

std::chrono::milliseconds since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start);
}

/// What a check found, as it comes out of its namespaces.
std::string try_check(const Check& check, const Subject& subject, std::chrono::milliseconds limit) {
  Trial trial(subject, check, limit);
  Json told = {{"blocked", nullptr}, {"findings", Json::array()}};
  try {
    check.run(trial);
  } catch (const std::exception& error) {
    told["blocked"] = error.what();
  }
  for (const Finding& finding : trial.findings()) {
    told["findings"].push_back({{"id", finding.id}, {"text", finding.text}});
  }
  // What a plugin prints may be no UTF-8.
  return told.dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_asked_for(const Check& check, const std::vector<std::string>& ids) {
  if (ids.empty()) return true;
  const std::vector<std::string> its = ids_of(check);
  return std::any_of(ids.begin(), ids.end(), [&](const std::string& id) {
    return std::find(its.begin(), its.end(), id) != its.end();
  });
}

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
  Verdict verdict{.check = check};
  if (!applies(check, subject)) {
    verdict.outcome = Outcome::not_applicable;
    return verdict;
  }
  const auto start = Clock::now();
  const Isolated done = isolated([&] { return try_check(check, subject, limits.call); },
                                 limits.check, {subject.folder()});
  verdict.took = since(start);
  if (!done.finished) {
    verdict.outcome = Outcome::blocked;
    verdict.why = done.text;
    return verdict;
  }
  const Json told = parse_json(done.text);
  for (const Json& finding : told["findings"]) {
    verdict.findings.push_back({finding["id"], finding["text"]});
  }
  if (!verdict.findings.empty()) {
    verdict.outcome = Outcome::violated;
  } else if (told["blocked"].is_string()) {
    verdict.outcome = Outcome::blocked;
    verdict.why = told["blocked"];
  }
  return verdict;
}

std::vector<Verdict> run_suite(const Subject& subject, const std::vector<std::string>& ids,
                               const Limits& limits,
                               const std::function<void(const Verdict&)>& heard) {
  std::vector<Verdict> verdicts;
  const auto start = Clock::now();
  for (const Check& check : all_checks()) {
    if (!is_asked_for(check, ids)) continue;
    Limits left = limits;
    left.check = std::min(limits.check, limits.all - since(start));
    if (left.check.count() > 0) {
      verdicts.push_back(run_check(check, subject, left));
    } else {
      verdicts.push_back(
          {.check = check,
           .outcome = applies(check, subject) ? Outcome::blocked : Outcome::not_applicable,
           .why = "the time for all checks was up (--time-limit)"});
    }
    if (heard) heard(verdicts.back());
  }
  return verdicts;
}

bool is_failure(const Verdict& verdict) {
  const bool bad = verdict.outcome == Outcome::violated || verdict.outcome == Outcome::blocked;
  return bad && verdict.check.level == Level::must;
}

}  // namespace unicni::conformance
