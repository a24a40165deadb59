// Programs that a test runs: their environment and stdin, what they print, how they end.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "probe/child.h"
#include "support/json.h"

namespace unicni::test {

/// At the end of its limit it is killed, which fails the test.
using probe::Spawn;

struct Output {
  int status = -1;  ///< exit status; -1 if a signal ended it
  int signal = 0;
  std::string out;
  std::string err;
  double ms = 0;  ///< wall time

  [[nodiscard]] bool ok() const { return status == 0; }
  /// stdout as exactly one JSON document; a test failure and null if it is anything else.
  [[nodiscard]] Json json() const;
  /// For messages: how it ended and all that it printed.
  [[nodiscard]] std::string str() const;
};

Output run(const Spawn& spawn);

/// A process that runs beside the test: a server, or one of many plugins at once. Killed and reaped
/// when destroyed.
class Running {
 public:
  explicit Running(const Spawn& spawn);
  [[nodiscard]] int pid() const { return child_.pid(); }
  /// Waits at most that long for its end, without reaping it.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds most) const {
    return child_.ends_within(most);
  }
  /// Reads what it prints until nobody can print any more: whoever still holds its pipes is waited
  /// for.
  Output wait();

 private:
  std::chrono::steady_clock::time_point start_;
  std::chrono::milliseconds limit_;
  probe::Child child_;
};

/// Runs a tool (ip, nft, ping …) with PATH alone; a test failure that shows its output unless it
/// exits 0.
Output tool(const std::vector<std::string>& argv, int netns = -1);
/// Whether it exits 0.
bool succeeds(const std::vector<std::string>& argv, int netns = -1);
/// tool()'s stdout as JSON; empty output is an empty list, as `ip -j` prints it.
Json tool_json(const std::vector<std::string>& argv, int netns = -1);

}  // namespace unicni::test
