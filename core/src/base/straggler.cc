// A child process that waits for what the kernel only frees. It does nothing else, and the verb
// doesn't wait for it.
#include "base/straggler.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <mutex>
#include <optional>

#include "base/orphan.h"

namespace unicni::sys {
namespace {

constexpr std::size_t kMostKept = 8;
constexpr timespec kPause{0, 500'000};
constexpr int kPauses = 10'000;  // 5 s; the kernel needs 10 to 30 ms

/// Of this process, until they are reaped. More than fit are left to whoever reaps orphans.
struct Children {
  std::mutex mutex;
  std::array<pid_t, 64> running{};
  std::optional<bool> may_stay;
};

Children& children() {
  static Children all;
  return all;
}

/// Children that have ended are reaped in passing, which is what keeps them from being zombies in a
/// process that lives on.
bool has_room() {
  const std::lock_guard lock(children().mutex);
  for (pid_t& running : children().running) {
    if (running != 0 && has_straggler_ended(running)) running = 0;
  }
  return std::ranges::find(children().running, 0) != children().running.end();
}

void remember(pid_t child) {
  const std::lock_guard lock(children().mutex);
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

/// Above all the runtime's pipes: while one is open anywhere, the runtime waits for more output.
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
  if (!has_room() && !may_leave_stragglers()) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    close_all_but(fds);
    // A working folder keeps its file system from being unmounted.
    if (::chdir("/") != 0) ::_exit(1);
  }
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

bool may_leave_stragglers() noexcept {
  const std::lock_guard lock(children().mutex);
  auto& may_stay = children().may_stay;
  if (!may_stay) may_stay = are_orphans_reaped();
  return *may_stay;
}

void settle_stragglers() noexcept {
  const auto is_any_left = [] {
    const std::lock_guard lock(children().mutex);
    bool left = false;
    for (pid_t& running : children().running) {
      if (running != 0 && has_straggler_ended(running)) running = 0;
      left = left || running != 0;
    }
    return left;
  };
  if (!is_any_left() || may_leave_stragglers()) return;
  for (int i = 0; i < kPauses && is_any_left(); ++i) ::nanosleep(&kPause, nullptr);
}

}  // namespace unicni::sys
