// A program that is run to its end, which may be that its time is up: a plugin, or ip(8) and its
// like.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "probe/child.h"

namespace unicni::probe {

/// For a tool that answers at once.
inline constexpr std::chrono::seconds kUsualLimit{5};

/// Bytes of stdout or stderr; no answer of a plugin has so many.
inline constexpr std::size_t kMostOutput = 4U << 20U;

struct Output {
  int status = -1;       ///< exit status; -1 if a signal ended it
  int signal = 0;        ///< the signal that ended it, 0: none
  int exec_error = 0;    ///< errno of execve(2), if it could not be executed at all
  bool hung = false;     ///< it was killed when its time was up
  bool flooded = false;  ///< it was killed as it printed more than kMostOutput
  std::string out;
  std::string err;

  [[nodiscard]] bool ok() const { return status == 0 && !hung; }
  /// For findings, in one line: how it ended and what it printed, each part cut.
  [[nodiscard]] std::string str() const;
};

/// Killed and reaped when destroyed.
class Running {
 public:
  /// Throws std::runtime_error if there is no process to be had.
  explicit Running(const Spawn& spawn);
  /// Reads what it prints until it has ended or its time is up. What still holds its pipes then
  /// (a process that it left) is not waited for.
  Output wait();

 private:
  std::chrono::steady_clock::time_point end_;
  Child child_;
};

inline Output run(const Spawn& spawn) { return Running(spawn).wait(); }

/// Runs a tool with PATH alone and returns its stdout. Throws std::runtime_error with all that it
/// printed unless it exits 0.
std::string tool(const std::vector<std::string>& argv, int netns = -1);
/// Whether it exits 0.
bool succeeds(const std::vector<std::string>& argv, int netns = -1);

}  // namespace unicni::probe
