// Locks between processes.
#pragma once

#include <sys/types.h>

#include <string>

#include "unicni/deadline.h"
#include "unicni/sys/fd.h"

namespace unicni::sys {

enum class LockMode : unsigned char { exclusive, shared };

/// flock(2), exclusive unless said otherwise, on a file that stays where it is (host-local's
/// "lock", the reference's own). Waits until `deadline`, then throws Error with Code::try_again
/// that names the holder: pid, program, verb (its CNI_COMMAND) and how long that process has been
/// running, read from /proc/locks and /proc/<pid>. Released on destruction, also where a child that
/// was forked meanwhile has the descriptor as well; or by the end of the process and of such
/// children.
class Lock {
 public:
  /// Opens `path` O_RDONLY|O_CREAT with `mode` and locks it.
  Lock(const std::string& path, mode_t mode, Deadline deadline);
  /// Locks an open file; `name` is for the error text.
  Lock(Fd fd, const std::string& name, Deadline deadline, LockMode mode = LockMode::exclusive);

  Lock(Lock&&) noexcept = default;
  Lock& operator=(Lock&& other) noexcept;
  ~Lock();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

 private:
  Fd fd_;
};

/// Half of the time from now to `deadline`: the longest that one lock may take of it.
Deadline lock_deadline(Deadline deadline);

}  // namespace unicni::sys
