#include "spawner/serve.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <exception>
#include <string_view>
#include <vector>

#include "spawner/plugin.h"
#include "spawner/wire.h"

namespace unicni::spawner {
namespace {

constexpr std::string_view kNotForPeople =
    "unicni: --spawner is for programs that use libunicni, which start it with a socket\n";

bool is_control_socket(int fd) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
}

/// None of the program's: what it had open without CLOEXEC, its terminal, its signals.
void leave_program() {
  for (const int fd : {kControlFd, kProgramFd}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  // Linux 5.9. By number: glibc has it since 2.34 only.
  if (::syscall(SYS_close_range, kProgramFd + 1, ~0U, 0U) != 0) {
    const int limit = static_cast<int>(::sysconf(_SC_OPEN_MAX));
    for (int fd = kProgramFd + 1; fd < limit; ++fd) ::close(fd);
  }
  ::setsid();
  ::prctl(PR_SET_NAME, "unicni-spawner");
  for (int fd = 0; fd < kControlFd; ++fd) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null >= 0 && null != fd) ::dup3(null, fd, O_CLOEXEC);
    if (null > 2) ::close(null);
  }
  for (int number = 1; number <= SIGRTMAX; ++number) ::signal(number, SIG_DFL);
  // Whoever stops a service sends SIGTERM to all its processes. The program may still have to
  // detach containers then, and its end is this one's.
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
}

sys::Fd open_child_signals() {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  return sys::Fd(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
}

class Server {
 public:
  /// Until there is nothing more to do.
  void run() {
    while (control_ >= 0 || !plugins_.empty()) {
      wait();
      std::erase_if(plugins_, [](const Plugin& plugin) { return plugin.is_over(); });
    }
  }

 private:
  static constexpr std::size_t kOwn = 3;

  void wait() {
    fds_.assign({{control_, POLLIN, 0}, {program_, POLLIN, 0}, {signals_.get(), POLLIN, 0}});
    for (const Plugin& plugin : plugins_) fds_.push_back({plugin.channel(), POLLIN, 0});
    const timespec time = time_to_next();
    if (::ppoll(fds_.data(), fds_.size(), plugins_.empty() ? nullptr : &time, nullptr) < 0) return;
    for (std::size_t i = 0; i < plugins_.size(); ++i) {
      if (fds_[kOwn + i].revents != 0) plugins_[i].read_channel(stack_);
    }
    if (fds_[2].revents != 0) look_at_children();
    const auto now = std::chrono::steady_clock::now();
    for (Plugin& plugin : plugins_) plugin.keep_time(now);
    if (fds_[1].revents != 0) abandon();
    if (fds_[0].revents != 0) read_control();
  }

  [[nodiscard]] timespec time_to_next() const {
    constexpr std::chrono::nanoseconds kLongest = std::chrono::minutes(1);
    const auto now = std::chrono::steady_clock::now();
    std::chrono::nanoseconds time = kLongest;
    for (const Plugin& plugin : plugins_) {
      const auto next = plugin.next_time();
      if (next) time = std::clamp<std::chrono::nanoseconds>(*next - now, {}, time);
    }
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
    return {seconds.count(), (time - seconds).count()};
  }

  void look_at_children() {
    std::array<signalfd_siginfo, 16> read;
    while (::read(signals_.get(), read.data(), sizeof read) > 0) {
    }
    for (Plugin& plugin : plugins_) plugin.look();
  }

  void read_control() {
    Message message = receive_message(control_);
    if (message.again) return;
    if (message.bytes.size() == 1 && message.bytes[0] == kRun && message.fds.size() == kRunFds) {
      auto& fds = message.fds;
      plugins_.emplace_back(std::move(fds[0]),
                            std::array{std::move(fds[1]), std::move(fds[2]), std::move(fds[3])});
      // The request mostly came along with it.
      plugins_.back().read_channel(stack_);
      return;
    }
    // An end of file, kQuit, or a descriptor that this process may not have: EMFILE.
    if (message.bytes.empty() || message.bytes[0] == kQuit) stop_listening();
  }

  /// The program has died. A copy of it, made by fork(2), may hold channels open.
  void abandon() {
    stop_listening();
    for (Plugin& plugin : plugins_) plugin.abandon();
  }

  void stop_listening() {
    ::close(control_);
    control_ = -1;
    program_ = -1;
  }

  int control_ = kControlFd;
  int program_ = ::fcntl(kProgramFd, F_GETFD) < 0 ? -1 : kProgramFd;
  sys::Fd signals_ = open_child_signals();
  ChildStack stack_;
  std::vector<Plugin> plugins_;
  std::vector<pollfd> fds_;
};

}  // namespace

int serve() noexcept {
  if (!is_control_socket(kControlFd)) {
    return ::write(STDERR_FILENO, kNotForPeople.data(), kNotForPeople.size()) < 0 ? 3 : 2;
  }
  leave_program();
  try {
    Server server;
    if (send_message(kControlFd, kGreeting, {}) == 0) server.run();
    return 0;
  } catch (const std::exception&) {
    return 1;  // the program learns it by the socket's end
  }
}

}  // namespace unicni::spawner
