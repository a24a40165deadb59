#include "base/forked_child.h"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace unicni::sys {

pid_t fork_child(const std::function<int()>& work) noexcept {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(work());
  return child;
}

/// By clone(2)'s number: glibc's own would tell the program's atfork handlers.
pid_t fork_unheard(const std::function<int()>& work) noexcept {
  const auto child =
      static_cast<pid_t>(::syscall(SYS_clone, 0UL, nullptr, nullptr, nullptr, nullptr));
  if (child == 0) ::_exit(work());
  return child;
}

/// __WALL: also for one whose end sends no signal.
int wait_for_child(pid_t child) noexcept {
  int status = 0;
  while (::waitpid(child, &status, __WALL) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace unicni::sys
