// From samples to a table and a verdict.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace unicni::bench {

inline constexpr const char* kOurs = "unicni";
inline constexpr const char* kReference = "reference";
inline constexpr const char* kKernelOnly = "kernel only";

/// How many times faster than the reference we must be, by median.
struct Goal {
  const char* what;
  double times;
};
inline constexpr Goal kGoals[] = {{"ADD", 5.0}, {"CHECK", 3.0}, {"DEL", 2.5}};

/// Milliseconds by what was measured, then by candidate; both in order of arrival.
class Report {
 public:
  void add(const std::string& what, const std::string& candidate, double milliseconds);
  /// "", if nothing was measured
  [[nodiscard]] std::string table() const;
  /// One line a goal that was missed or not measured.
  [[nodiscard]] std::vector<std::string> missed_goals() const;

 private:
  struct Series {
    std::string what;
    std::string candidate;
    std::vector<double> samples;
  };
  [[nodiscard]] const Series* find(const std::string& what, const std::string& candidate) const;
  std::vector<Series> series_;
};

/// Nearest rank; `fraction` from 0 to 1. 0 if there are no samples.
double percentile(std::vector<double> samples, double fraction);

}  // namespace unicni::bench
