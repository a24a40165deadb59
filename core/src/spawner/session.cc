#include "spawner/session.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>

#include "unicni/sys/fd.h"
#include "unicni/sys/proc.h"

namespace unicni::spawner {
namespace {

/// The descriptor comes first: it stays that process's, whoever has the number afterwards.
void signal_member(pid_t pid, pid_t leader, int number) noexcept {
  const sys::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!process || ::getsid(pid) != leader) return;
  ::syscall(SYS_pidfd_send_signal, process.get(), number, nullptr, 0);
}

}  // namespace

void signal_session(pid_t leader, int number) noexcept {
  // It leads a group as well, which is most of it, and a leader can't leave.
  ::kill(-leader, number);
  try {
    for (const pid_t pid : sys::list_processes()) {
      if (pid == leader) continue;
      if (::getsid(pid) == leader && ::getpgid(pid) != leader) signal_member(pid, leader, number);
    }
  } catch (const std::exception&) {
    return;  // no /proc, or no memory: the group is what can be reached
  }
}

}  // namespace unicni::spawner
