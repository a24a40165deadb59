#include "forked_children.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <new>

#include "orphan.h"

namespace unicni::exec {
namespace {

constexpr std::size_t kMostKept = 8;
constexpr timespec kFreeing{0, sys::kFreeingTime * 1'000'000L};
constexpr timespec kPause{0, 500'000};
constexpr int kPauses = 10'000;  // 5 s; the kernel needs 10 to 30 ms

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

[[noreturn]] void send_and_exit(int socket, std::span<const char> message) {
  ssize_t sent = 0;
  do {
    sent = ::send(socket, message.data(), message.size(), 0);
  } while (sent < 0 && errno == EINTR);
  ::_exit(sent < 0 ? 1 : 0);
}

}  // namespace

class ForkedChildren::Send final : public sys::BackgroundSend {
 public:
  explicit Send(ForkedChildren& children) : children_(children) {}
  void set_child(pid_t child) noexcept { child_ = child; }
  [[nodiscard]] bool has_ended() noexcept override { return ForkedChildren::has_ended(child_); }
  void end() noexcept override { children_.end(child_); }

 private:
  ForkedChildren& children_;
  pid_t child_ = 0;
};

pid_t ForkedChildren::fork(std::span<const int> kept) noexcept {
  std::array<int, kMostKept> sorted{};
  if (kept.size() > sorted.size()) return -1;
  std::ranges::copy(kept, sorted.begin());
  const std::span<int> fds = std::span(sorted).first(kept.size());
  std::ranges::sort(fds);
  reap();
  const auto free = std::ranges::find(running_, 0);
  if (free == running_.end() && !may_stay()) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    close_all_but(fds);
    if (::chdir("/") != 0) ::_exit(1);
  }
  if (child > 0 && free != running_.end()) *free = child;
  return child;
}

std::unique_ptr<sys::BackgroundSend> ForkedChildren::send(int socket,
                                                          std::span<const char> message) noexcept {
  std::unique_ptr<Send> sending(new (std::nothrow) Send(*this));
  if (!sending) return nullptr;
  const pid_t child = fork({&socket, 1});
  if (child == 0) send_and_exit(socket, message);
  if (child < 0) return nullptr;
  may_stay();  // found out while the child works, as it must be known at the end
  sending->set_child(child);
  return sending;
}

bool ForkedChildren::keep_open(std::span<const int> sockets) noexcept {
  // Without anybody to reap a child, the close waits.
  if (!may_stay()) return false;
  const pid_t child = fork(sockets);
  if (child != 0) return child > 0;
  ::nanosleep(&kFreeing, nullptr);
  ::_exit(0);
}

bool ForkedChildren::has_ended(pid_t child) noexcept {
  return ::waitpid(child, nullptr, WNOHANG) != 0;
}

void ForkedChildren::end(pid_t child) noexcept {
  // One that was reaped already has left its number to somebody else.
  if (!has_ended(child)) {
    ::kill(child, SIGKILL);
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  std::ranges::replace(running_, child, 0);
}

bool ForkedChildren::reap() noexcept {
  bool left = false;
  for (pid_t& running : running_) {
    if (running != 0 && has_ended(running)) running = 0;
    left = left || running != 0;
  }
  return left;
}

bool ForkedChildren::may_stay() noexcept {
  if (!may_stay_) may_stay_ = are_orphans_reaped();
  return *may_stay_;
}

void ForkedChildren::settle() noexcept {
  if (!reap() || may_stay()) return;
  for (int i = 0; i < kPauses && reap(); ++i) ::nanosleep(&kPause, nullptr);
}

}  // namespace unicni::exec
