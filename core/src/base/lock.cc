#include "unicni/sys/lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "base/holder.h"
#include "unicni/error.h"

namespace unicni::sys {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kFirstPause{1};
constexpr milliseconds kLongestPause{20};

/// The holder is looked for only when the wait was in vain, as that reads a good part of /proc.
Error held_error(int fd, const std::string& name, Clock::duration waited) {
  const auto holder = find_lock_holder(fd);
  return Error(Code::try_again,
               fmt::format("lock {}: held by {}", name,
                           holder ? holder->str() : "a process that is not visible from here"),
               fmt::format("gave up after {:.1f} s; try again, or end that process if it hangs",
                           std::chrono::duration<double>(waited).count()));
}

void lock_until(int fd, const std::string& name, Deadline deadline, LockMode mode) {
  const int operation = (mode == LockMode::shared ? LOCK_SH : LOCK_EX) | LOCK_NB;
  if (::flock(fd, operation) == 0) return;
  // Polling, because a blocking flock(2) ends at a deadline only with a signal or a second thread.
  const auto start = Clock::now();
  milliseconds pause = kFirstPause;
  for (;;) {
    if (errno != EWOULDBLOCK && errno != EINTR) throw system_error(errno, "lock " + name);
    const auto now = Clock::now();
    if (now >= deadline) throw held_error(fd, name, now - start);
    std::this_thread::sleep_for(std::min<Clock::duration>(pause, deadline - now));
    pause = std::min(pause * 2, kLongestPause);
    if (::flock(fd, operation) == 0) return;
  }
}

}  // namespace

Lock::Lock(const std::string& path, mode_t mode, Deadline deadline)
    : fd_(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, mode)) {
  if (!fd_) throw system_error(errno, "open lock " + path);
  lock_until(fd_.get(), path, deadline, LockMode::exclusive);
}

Lock::Lock(Fd fd, const std::string& name, Deadline deadline, LockMode mode) : fd_(std::move(fd)) {
  lock_until(fd_.get(), name, deadline, mode);
}

Lock& Lock::operator=(Lock&& other) noexcept {
  Lock released(std::move(*this));
  fd_ = std::move(other.fd_);
  return *this;
}

/// Closing alone releases it only with the last copy of the descriptor.
Lock::~Lock() {
  if (fd_) ::flock(fd_.get(), LOCK_UN);
}

/// Half of the time that is left: after a wait there must be time for the work.
Deadline lock_deadline(Deadline deadline) {
  const auto now = Clock::now();
  return deadline <= now ? deadline : now + (deadline - now) / 2;
}

}  // namespace unicni::sys
