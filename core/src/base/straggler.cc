#include "base/straggler.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <mutex>

namespace unicni::sys {
namespace {

constexpr std::size_t kMostKept = 8;

/// Of this process, until they are reaped. More than fit are left to init, as a plugin's are.
struct Children {
  std::mutex mutex;
  std::array<pid_t, 64> running{};
};

Children& children() {
  static Children all;
  return all;
}

void remember(pid_t child) {
  const std::lock_guard lock(children().mutex);
  for (pid_t& running : children().running) {
    if (running != 0 && has_straggler_ended(running)) running = 0;
  }
  const auto free = std::ranges::find(children().running, 0);
  if (free != children().running.end()) *free = child;
}

void forget(pid_t child) {
  const std::lock_guard lock(children().mutex);
  std::ranges::replace(children().running, child, 0);
}

/// Linux 5.9. By number: glibc has it since 2.34 only.
bool close_range(unsigned first, unsigned last) {
  return ::syscall(SYS_close_range, first, last, 0U) == 0;
}

void close_all_but(std::span<const int> sorted) {
  unsigned next = 0;
  bool closed = true;
  for (const int kept : sorted) {
    const auto fd = static_cast<unsigned>(kept);
    closed = (fd <= next || close_range(next, fd - 1)) && closed;
    next = fd + 1;
  }
  closed = close_range(next, ~0U) && closed;
  if (closed) return;
  const int limit = static_cast<int>(::sysconf(_SC_OPEN_MAX));
  for (int fd = 0; fd < limit; ++fd) {
    if (std::ranges::find(sorted, fd) == sorted.end()) ::close(fd);
  }
}

}  // namespace

pid_t fork_straggler(std::span<const int> kept) noexcept {
  std::array<int, kMostKept> sorted{};
  if (kept.size() > sorted.size()) return -1;
  std::ranges::copy(kept, sorted.begin());
  const std::span<int> fds = std::span(sorted).first(kept.size());
  std::ranges::sort(fds);
  const pid_t child = ::fork();
  if (child == 0) close_all_but(fds);
  if (child > 0) remember(child);
  return child;
}

bool has_straggler_ended(pid_t child) noexcept { return ::waitpid(child, nullptr, WNOHANG) != 0; }

void end_straggler(pid_t child) noexcept {
  // One that was reaped already has left its number to somebody else.
  if (!has_straggler_ended(child)) {
    ::kill(child, SIGKILL);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  forget(child);
}

}  // namespace unicni::sys
