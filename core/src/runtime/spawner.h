// Foreign plugins of a program that goes on: they run under a small process beside the program.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/program_runner.h"
#include "runtime/spawner_process.h"
#include "runtime/spawner_run.h"
#include "unicni/log.h"
#include "unicni/net/netns.h"
#include "unicni/sys/fd.h"

namespace unicni::runtime {

/// The program may ignore SIGCHLD, wait for any child, have ended its main thread, be large. The
/// plugins run in the network namespace of the thread that makes this (EXEC-02), wherever the verbs
/// are; with the user, limits, umask and folder that the program had at the first of them; with all
/// signals at their defaults. SIGKILL to the spawner ends them as well.
/// If the program dies, they go on until they end or their deadlines come.
class Spawner final : public sys::ProgramRunner {
 public:
  /// Opens `executable`, which stays that file when the package is upgraded. Started is it with the
  /// first plugin. If it can't be used, plugins are run directly, as children of this program, and
  /// `log` (may be nullptr) is told once. Throws Error without /proc.
  Spawner(const std::string& executable, LogSink* log);
  Spawner(const Spawner&) = delete;
  Spawner& operator=(const Spawner&) = delete;
  /// No run any more. The spawner's process has ended when this returns.
  ~Spawner() override;

  /// As sys::run_process(). While another program writes the file (ETXTBSY) it is tried again, for
  /// 5 s (EXEC-18). If somebody kills the spawner, the runs under it throw; the next ones have a
  /// new one.
  sys::ProcessResult run(const std::string& program, const std::vector<std::string>& env,
                         std::string_view input, Deadline deadline,
                         const std::vector<std::string>& arguments, LogSink* log) override;

  /// As run(), but that one doesn't wait for a file that is written (nullopt of finish()).
  std::unique_ptr<sys::StartedProgram> start(const std::string& program,
                                             const std::vector<std::string>& env,
                                             Deadline deadline) noexcept override;

  /// Of the spawner's process, or -1 while there is none.
  [[nodiscard]] pid_t pid();

 private:
  class Started;
  std::shared_ptr<SpawnerProcess> process(Deadline deadline);
  SpawnerRun::Outcome finish(SpawnerRun& run, const std::shared_ptr<SpawnerProcess>& process,
                             std::string_view input, Deadline deadline, LogSink* log);
  void forget(const std::shared_ptr<SpawnerProcess>& process);
  void say(const std::string& text);
  sys::ProcessResult run_directly(const std::string& program, const std::vector<std::string>& env,
                                  std::string_view input, Deadline deadline,
                                  const std::vector<std::string>& arguments, LogSink* log) const;

  LogSink* log_;
  net::Netns netns_;
  sys::Fd executable_;  // none: plugins are run directly
  std::mutex mutex_;    // of the next ones
  std::shared_ptr<SpawnerProcess> process_;
  bool has_served_ = false;
  bool unusable_ = false;
};

}  // namespace unicni::runtime
