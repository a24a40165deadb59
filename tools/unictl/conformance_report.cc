#include "conformance_report.h"

#include <fmt/core.h>

#include <map>
#include <string>

namespace unicni::unictl {
namespace {

using app::Cell;
using app::Tone;
using conformance::Outcome;
using conformance::Verdict;

const app::TableShape& plugin_table() {
  static const app::TableShape shape{
      "plugin",
      nullptr,
      app::Form::record,
      {{"path", "plugin", "string", "the plugin's file"},
       {"versions", "versions", "array of strings",
        "versions that it says it supports and the suite knows; empty if it doesn't say"},
       {"passed", "passed", "integer", "checks that found nothing"},
       {"violated", "violated", "integer", "checks that found a requirement violated"},
       {"blocked", "blocked", "integer",
        "checks that could not be made, as what they need first didn't work or had no answer"},
       {"not_applicable", "not applicable", "integer",
        "checks about other kinds of plugins, or versions that it doesn't support"},
       {"failing_add", "ADD fails", "string or null",
        "how an ordinary ADD with this configuration ended, if it failed; most checks need one"},
       {"stopped", "stopped", "string or null", "why not all checks were begun, if so"},
       {"verdict", "verdict", "string",
        "conforming: each check of the level must was made and found nothing; not conforming: a "
        "requirement of that level is violated; undecided: neither"}}};
  return shape;
}

const app::TableShape& finding_table() {
  static const app::TableShape shape{
      "findings",
      "Findings",
      app::Form::rows,
      {{"id", "ID", "string", "the requirement"},
       {"level", "LEVEL", "string", "must, should or may"},
       {"requirement", "REQUIREMENT", "string", "what the check requires"},
       {"seen", "SEEN", "string", "what the plugin did, or why the check could not be made"}}};
  return shape;
}

const app::TableShape& check_table() {
  static const app::TableShape shape{
      "checks",
      "Checks",
      app::Form::rows,
      {{"ids", "IDS", "string", "the requirements that it is about, with blanks between"},
       {"level", "LEVEL", "string", "must, should or may"},
       {"requirement", "REQUIREMENT", "string", "what it requires"},
       {"outcome", "OUTCOME", "string", "passed, violated, blocked or not applicable"},
       {"milliseconds", "MS", "integer", "how long it took"}}};
  return shape;
}

Tone tone_of(const Verdict& verdict) {
  if (verdict.outcome == Outcome::passed) return Tone::good;
  return is_failure(verdict) || is_open(verdict) ? Tone::bad : Tone::faint;
}

Cell text_or_none(const std::string& text) {
  return text.empty() ? Cell() : Cell::text(text, Tone::bad);
}

void add_finding(app::Report& report, const Verdict& verdict, const std::string& id,
                 const std::string& seen) {
  report.add_row({Cell::text(id, tone_of(verdict)), Cell::text(to_string(verdict.check.level)),
                  Cell::text(verdict.check.what), Cell::text(seen)});
}

void add_findings(app::Report& report, const Verdict& verdict) {
  for (const conformance::Finding& finding : verdict.findings) {
    add_finding(report, verdict, finding.id, finding.text);
  }
}

/// Checks that were blocked by the same. People get one line for all of them.
void add_blocked(app::Report& report, const std::vector<Verdict>& verdicts, bool is_json) {
  std::map<std::string, std::vector<const Verdict*>> blocked;
  for (const Verdict& verdict : verdicts) {
    if (verdict.outcome != Outcome::blocked) continue;
    if (is_json || verdict.is_begun) blocked[verdict.why].push_back(&verdict);
  }
  for (const auto& [why, all] : blocked) {
    const bool folds = !is_json && all.size() > 3;
    for (const Verdict* verdict : all) {
      std::string id = ids_of(verdict->check).front();
      if (folds) id += fmt::format(" and {} more checks", all.size() - 1);
      add_finding(report, *verdict, id, "not checked: " + why);
      if (folds) break;
    }
  }
}

}  // namespace

std::vector<const app::TableShape*> conformance_tables() {
  return {&plugin_table(), &finding_table(), &check_table()};
}

app::Report report_of(const conformance::Subject& subject, const conformance::Course& course,
                      bool is_json, bool shows_all) {
  app::Report report;
  std::map<Outcome, std::int64_t> counts;
  for (const Verdict& verdict : course.verdicts) ++counts[verdict.outcome];
  const auto conformity = conformity_of(course.verdicts);
  const bool conforms = conformity == conformance::Conformity::conforming;
  report.add_table(plugin_table());
  report.add_row({Cell::text(subject.program()),
                  subject.told_versions() ? Cell::list(subject.versions()) : Cell::json("-", "[]"),
                  Cell::number(counts[Outcome::passed]), Cell::number(counts[Outcome::violated]),
                  Cell::number(counts[Outcome::blocked]),
                  Cell::number(counts[Outcome::not_applicable]), text_or_none(course.failing_add),
                  text_or_none(course.stopped),
                  Cell::text(to_string(conformity), conforms ? Tone::good : Tone::bad)});
  report.add_table(finding_table());
  for (const Verdict& verdict : course.verdicts) add_findings(report, verdict);
  add_blocked(report, course.verdicts, is_json);
  if (!shows_all && !is_json) return report;
  report.add_table(check_table());
  for (const Verdict& verdict : course.verdicts) {
    report.add_row({Cell::text(verdict.check.ids), Cell::text(to_string(verdict.check.level)),
                    Cell::text(verdict.check.what),
                    Cell::text(to_string(verdict.outcome), tone_of(verdict)),
                    Cell::number(verdict.took.count())});
  }
  return report;
}

}  // namespace unicni::unictl
