// Programs that a test runs: their environment and stdin, what they print, how they end.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "support/json.h"

namespace unicni::test {

struct Spawn {
  std::vector<std::string> argv;      ///< argv[0] without '/' is looked up in PATH
  std::vector<std::string> env = {};  ///< "K=V"; the whole environment of the program
  std::string in = {};
  std::vector<int> closed = {};  ///< standard descriptors that it has not, not even empty ones
  int netns = -1;                ///< descriptor of the network namespace to run in; -1: the test's
  std::string program = {};      ///< file to execute if it isn't argv[0]
  std::chrono::seconds limit{60};  ///< then it is killed, which fails the test
};

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
  Running(Running&& other) noexcept;
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;
  Running& operator=(Running&&) = delete;
  ~Running();
  [[nodiscard]] int pid() const { return pid_; }
  /// Waits at most that long for its end, without reaping it.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds time) const;
  /// Reads what it prints until it ends.
  Output wait();

 private:
  std::chrono::steady_clock::time_point start_;
  std::chrono::seconds limit_;
  int pid_ = -1;
  int out_ = -1;
  int err_ = -1;
};

/// Runs a tool (ip, nft, ping …) with PATH alone; a test failure that shows its output unless it
/// exits 0.
Output tool(const std::vector<std::string>& argv, int netns = -1);
/// Whether it exits 0.
bool succeeds(const std::vector<std::string>& argv, int netns = -1);
/// tool()'s stdout as JSON; empty output is an empty list, as `ip -j` prints it.
Json tool_json(const std::vector<std::string>& argv, int netns = -1);

}  // namespace unicni::test
