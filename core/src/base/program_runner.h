// Who runs programs for core: foreign plugins.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/error.h"
#include "unicni/sys/process.h"

namespace unicni::sys {

/// A program that runs, and waits for its input. Destroyed before its end, it is killed.
class StartedProgram {
 public:
  virtual ~StartedProgram();
  /// Gives it its input and goes with it until its end, once. nullopt: it couldn't be started after
  /// all, and did nothing; run() tries again, or says why not.
  virtual std::optional<ProcessResult> finish(std::string_view input, LogSink* log) = 0;
};

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
  /// The first half of run(), for who has the input later. nullptr: only run() works. Never throws.
  /// The runner outlives what it started.
  virtual std::unique_ptr<StartedProgram> start(const std::string& program,
                                                const std::vector<std::string>& env,
                                                Deadline deadline) noexcept;
};

/// What every runner does alike at the deadline: SIGTERM to the group, since iptables holds a lock
/// file and flannel writes a file, and both clean up; SIGKILL after the grace.
inline constexpr std::chrono::milliseconds kTermGrace{200};
/// A killed process may hang in the kernel; it is waited for so long.
inline constexpr std::chrono::milliseconds kReapTime{1000};

/// The kernel executes no such file: for its mode, its format, its interpreter, or because it is
/// gone. So nothing of it has run, and it will be so until somebody mends it.
class Unexecutable : public Error {
 public:
  using Error::Error;
};

/// Throws Unexecutable or another Error for what execve(2) answered.
[[noreturn]] void refuse_execution(const std::string& program, int error);

/// Throws Error if `deadline` has passed.
void require_time(const std::string& program, Deadline deadline);

}  // namespace unicni::sys
