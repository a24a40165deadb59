// Who runs programs for core: foreign plugins.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/sys/process.h"

namespace unicni::sys {

/// Owned by the program around core. An executable that ends with its verb needs none, as it may
/// have children of its own (run_process); a library's user may wait for any child, and ignore
/// SIGCHLD. Serves all threads at once.
class ProgramRunner {
 public:
  virtual ~ProgramRunner();
  /// As run_process(), with its arguments.
  virtual ProcessResult run(const std::string& program, const std::vector<std::string>& env,
                            std::string_view input, Deadline deadline,
                            const std::vector<std::string>& arguments, LogSink* log) = 0;
};

/// What every runner does alike at the deadline: SIGTERM to the group, since iptables holds a lock
/// file and flannel writes a file, and both clean up; SIGKILL after the grace.
inline constexpr std::chrono::milliseconds kTermGrace{200};
/// A killed process may hang in the kernel; it is waited for so long.
inline constexpr std::chrono::milliseconds kReapTime{1000};

/// Throws Error if `deadline` has passed.
void require_time(const std::string& program, Deadline deadline);

}  // namespace unicni::sys
