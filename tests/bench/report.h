// From samples to a table, from figures to a verdict.
#pragma once

#include <string>
#include <vector>

namespace unicni::bench {

inline constexpr const char* kOurs = "unicni";
inline constexpr const char* kReference = "reference";
inline constexpr const char* kKernelOnly = "kernel only";

enum class Bound { at_least, at_most };

/// What must hold.
struct Goal {
  std::string what;
  Bound bound;
  double limit;
  const char* unit;  ///< "x", "MiB"
};

class Report {
 public:
  /// Milliseconds of one run. Rows are printed in order of arrival, their candidates as well, but
  /// for us, who come first.
  void add(const std::string& row, const std::string& candidate, double milliseconds);
  /// 0, if there is no such row
  [[nodiscard]] double median(const std::string& row, const std::string& candidate) const;

  void judge(Goal, double figure);
  /// The figure is `numerator / denominator`; a denominator of 0 means "not measured", which
  /// misses.
  void judge_ratio(Goal, double numerator, double denominator);

  /// "", if nothing was measured
  [[nodiscard]] std::string table() const;
  /// One line a goal, with its figure; a missed one ends in "MISSED". "", if there are none.
  [[nodiscard]] std::string verdicts() const;
  [[nodiscard]] bool all_met() const;

 private:
  struct Series {
    std::string row;
    std::string candidate;
    std::vector<double> samples;
  };
  struct Verdict {
    Goal goal;
    double figure;
    bool measured;
    [[nodiscard]] bool met() const;
  };
  [[nodiscard]] const Series* find(const std::string& row, const std::string& candidate) const;

  std::vector<Series> series_;
  std::vector<Verdict> verdicts_;
};

/// Nearest rank; `fraction` from 0 to 1. 0 if there are no samples.
double percentile(std::vector<double> samples, double fraction);

}  // namespace unicni::bench
