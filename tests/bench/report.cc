#include "report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

namespace unicni::bench {
namespace {

constexpr double kMedian = 0.5;
constexpr double kTail = 0.99;

template <class... Values>
std::string print(const char* format, Values... values) {
  char line[160];
  std::snprintf(line, sizeof line, format, values...);
  return line;
}

}  // namespace

double percentile(std::vector<double> samples, double fraction) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const double rank = std::ceil(fraction * static_cast<double>(samples.size()));
  return samples[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

void Report::add(const std::string& row, const std::string& candidate, double milliseconds) {
  for (Series& series : series_) {
    if (series.row == row && series.candidate == candidate) {
      series.samples.push_back(milliseconds);
      return;
    }
  }
  // With the row's other candidates, also if later rows have begun; we come first, whoever was
  // measured first.
  auto place = series_.end();
  for (auto each = series_.begin(); each != series_.end(); ++each) {
    if (each->row != row) continue;
    if (candidate == kOurs) {
      place = each;
      break;
    }
    place = each + 1;
  }
  series_.insert(place, {row, candidate, {milliseconds}});
}

const Report::Series* Report::find(const std::string& row, const std::string& candidate) const {
  for (const Series& series : series_) {
    if (series.row == row && series.candidate == candidate) return &series;
  }
  return nullptr;
}

double Report::median(const std::string& row, const std::string& candidate) const {
  const Series* series = find(row, candidate);
  return series == nullptr ? 0 : percentile(series->samples, kMedian);
}

void Report::judge(Goal goal, double figure) {
  verdicts_.push_back({std::move(goal), figure, true});
}

void Report::judge_ratio(Goal goal, double numerator, double denominator) {
  const bool measured = numerator > 0 && denominator > 0;
  verdicts_.push_back({std::move(goal), measured ? numerator / denominator : 0, measured});
}

bool Report::Verdict::met() const {
  if (!measured) return false;
  return goal.bound == Bound::at_least ? figure >= goal.limit : figure <= goal.limit;
}

std::string Report::table() const {
  if (series_.empty()) return {};
  std::string text = print("%-26s %-12s %5s %10s %8s %15s\n", "", "", "runs", "median ms", "p99 ms",
                           "reference/this");
  std::string row;
  for (const Series& series : series_) {
    const double median = percentile(series.samples, kMedian);
    text += print("%-26s %-12s %5zu %10.2f %8.2f", series.row == row ? "" : series.row.c_str(),
                  series.candidate.c_str(), series.samples.size(), median,
                  percentile(series.samples, kTail));
    row = series.row;
    if (const Series* reference = find(series.row, kReference);
        reference != nullptr && series.candidate != kReference) {
      text += print(" %14.1fx", percentile(reference->samples, kMedian) / median);
    }
    text += '\n';
  }
  return text;
}

std::string Report::verdicts() const {
  std::string text;
  for (const Verdict& verdict : verdicts_) {
    const Goal& goal = verdict.goal;
    text += print("%-58s", goal.what.c_str());
    text += verdict.measured ? print(" %8.2f %-3s", verdict.figure, goal.unit)
                             : print(" %12s", "unmeasured");
    text += print(" (%s %g)%s\n", goal.bound == Bound::at_least ? ">=" : "<=", goal.limit,
                  verdict.met() ? "" : "  MISSED");
  }
  return text;
}

bool Report::all_met() const {
  return std::all_of(verdicts_.begin(), verdicts_.end(),
                     [](const Verdict& verdict) { return verdict.met(); });
}

}  // namespace unicni::bench
