#include "report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

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

void Report::add(const std::string& what, const std::string& candidate, double milliseconds) {
  for (Series& series : series_) {
    if (series.what == what && series.candidate == candidate) {
      series.samples.push_back(milliseconds);
      return;
    }
  }
  series_.push_back({what, candidate, {milliseconds}});
}

const Report::Series* Report::find(const std::string& what, const std::string& candidate) const {
  for (const Series& series : series_) {
    if (series.what == what && series.candidate == candidate) return &series;
  }
  return nullptr;
}

std::string Report::table() const {
  if (series_.empty()) return {};
  std::vector<Series> rows = series_;
  const auto first_of = [&](const std::string& what) {
    return std::find_if(series_.begin(), series_.end(),
                        [&](const Series& s) { return s.what == what; });
  };
  // What was measured first comes first; within it, candidates by name from the last letter, which
  // puts us on top.
  std::stable_sort(rows.begin(), rows.end(), [&](const Series& a, const Series& b) {
    return a.what == b.what ? a.candidate > b.candidate : first_of(a.what) < first_of(b.what);
  });
  std::string text = print("%-7s %-12s %5s %10s %8s %19s\n", "", "", "runs", "median ms", "p99 ms",
                           "reference/this");
  std::string what;
  for (const Series& row : rows) {
    const double median = percentile(row.samples, kMedian);
    text +=
        print("%-7s %-12s %5zu %10.2f %8.2f", row.what == what ? "" : row.what.c_str(),
              row.candidate.c_str(), row.samples.size(), median, percentile(row.samples, kTail));
    what = row.what;
    if (const Series* reference = find(row.what, kReference);
        reference != nullptr && row.candidate != kReference) {
      text += print(" %18.1fx", percentile(reference->samples, kMedian) / median);
    }
    text += '\n';
  }
  return text;
}

std::vector<std::string> Report::missed_goals() const {
  std::vector<std::string> missed;
  for (const Goal& goal : kGoals) {
    const Series* ours = find(goal.what, kOurs);
    const Series* reference = find(goal.what, kReference);
    if (ours == nullptr || reference == nullptr) {
      missed.push_back(print("%s: not measured", goal.what));
      continue;
    }
    const double times =
        percentile(reference->samples, kMedian) / percentile(ours->samples, kMedian);
    if (times < goal.times) {
      missed.push_back(print("%s: %.1fx faster than the reference, the goal is %.1fx", goal.what,
                             times, goal.times));
    }
  }
  return missed;
}

}  // namespace unicni::bench
