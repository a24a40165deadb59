// The spawner's process, as the program sees it.
#pragma once

#include <sys/types.h>

#include "unicni/deadline.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni::runtime {

/// The executable can't be a spawner, now and later: it doesn't run, or is of another version.
class NotASpawner final : public Error {
 public:
  using Error::Error;
};

/// A running spawner, and the socket to it. It isn't among the program's children: a process in
/// between, which waitpid(-1) doesn't tell of, starts it and ends, so init inherits it; a program
/// that is an init or a subreaper itself does, as all orphans.
class SpawnerProcess {
 public:
  /// Executes `executable` (an open file) in the network namespace `netns`, and waits until it
  /// answers, `deadline` at most. Throws NotASpawner, or an Error that a later start may not meet.
  SpawnerProcess(const sys::Fd& executable, const sys::Fd& netns, Deadline deadline);
  SpawnerProcess(const SpawnerProcess&) = delete;
  SpawnerProcess& operator=(const SpawnerProcess&) = delete;
  /// Waits until it is gone, unless a plugin that the kernel keeps holds it.
  ~SpawnerProcess();

  [[nodiscard]] int control() const { return control_.get(); }
  /// -1 if the kernel has none: before Linux 5.3.
  [[nodiscard]] int pidfd() const { return pidfd_.get(); }
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// For one that doesn't answer any more. Its plugins end with it.
  void kill() const;

 private:
  void wait_for_greeting(Deadline deadline);
  void leave() noexcept;

  sys::Fd control_;
  pid_t owner_;  // a copy of the program, made by fork(2), ends nothing
  pid_t pid_ = -1;
  sys::Fd pidfd_;
};

}  // namespace unicni::runtime
