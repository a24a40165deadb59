// Programs, run to their ends and timed.
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
  double milliseconds = 0;  ///< from before the spawn until it was reaped, CLOCK_MONOTONIC
  int status = 0;           ///< exit status, 128 + signal
  std::string output;       ///< stdout
  std::string errors;       ///< stderr
};

/// stdin, stdout and stderr are files in memory, so that no pipe's wake-ups are measured. Throws
/// std::system_error if the program can't be started.
Outcome run(const Command&);

/// As run(), but throws std::runtime_error with the program's words unless it exits 0.
Outcome run_well(const Command&);

/// A system program (ip, nft) from the usual folders. Throws std::runtime_error if there is none of
/// that name.
std::string find_program(const std::string& name);

struct Together {
  double milliseconds = 0;        ///< from before the first spawn until the last was reaped
  std::vector<Outcome> outcomes;  ///< in the order of the commands
};

/// All at once, each as run_well(). The caller must have no other children.
Together run_together(const std::vector<Command>&);

}  // namespace unicni::bench
