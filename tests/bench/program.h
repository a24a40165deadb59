// One program, run to its end and timed.
#pragma once

#include <string>
#include <vector>

namespace unicni::bench {

struct Command {
  std::vector<std::string> arguments;    ///< the first is the program's absolute path
  std::vector<std::string> environment;  ///< "NAME=value"; all there is
  std::string input;                     ///< stdin
};

struct Outcome {
  double milliseconds;  ///< from before the spawn until it was reaped, CLOCK_MONOTONIC
  int status;           ///< exit status, 128 + signal
  std::string output;   ///< stdout
  std::string errors;   ///< stderr
};

/// stdin, stdout and stderr are files in memory, so that no pipe's wake-ups are measured. Throws
/// std::system_error if the program can't be started.
Outcome run(const Command&);

/// As run(), but throws std::runtime_error with the program's words unless it exits 0.
Outcome run_well(const Command&);

}  // namespace unicni::bench
