#include "spawner/plugin.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/program_runner.h"
#include "spawner/session.h"

namespace unicni::spawner {
namespace {

constexpr std::size_t kKernelSignals = 8;  // bytes of the kernel's sigset_t

struct Start {
  const char* program;
  char* const* argv;
  char* const* env;
  int in;
  int out;
  int err;
  long spawner;
  int error;
};

/// In the child, whose memory is ours. Signals are at their defaults, as the spawner's are.
UNICNI_IN_SHARED_CHILD int become(void* argument) {
  auto& start = *static_cast<Start*>(argument);
  // A session of its own: at the deadline it is ended with its children.
  ::syscall(SYS_setsid);
  // Nobody would hold it to its deadline without the spawner.
  ::syscall(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::syscall(SYS_getppid) != start.spawner) ::syscall(SYS_exit_group, 1);
  ::syscall(SYS_dup3, start.in, STDIN_FILENO, 0);
  ::syscall(SYS_dup3, start.out, STDOUT_FILENO, 0);
  ::syscall(SYS_dup3, start.err, STDERR_FILENO, 0);
  const unsigned long none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kKernelSignals);
  ::syscall(SYS_execve, start.program, start.argv, start.env);
  start.error = errno;
  ::syscall(SYS_exit_group, 127);
  return 127;
}

}  // namespace

Plugin::Plugin(sys::Fd channel, std::array<sys::Fd, 3> stdio)
    : channel_(std::move(channel)), stdio_(std::move(stdio)) {}

void Plugin::report(Progress event, int value, int signal) {
  if (!channel_) return;
  const Report report{event, value, signal};
  // A handful of reports always fits.
  if (::send(channel_.get(), &report, sizeof report, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    channel_.reset();
  }
}

void Plugin::read_channel(const ChildStack& stack) {
  std::array<char, 65536> buffer;
  const ssize_t size = ::recv(channel_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    channel_.reset();
    if (state_ == State::asked) state_ = State::over;
    if (state_ == State::ending) kill();  // the other side has seen enough
    abandon();
    return;
  }
  if (state_ != State::asked) {
    kill();  // kStop
    return;
  }
  received_.append(buffer.data(), static_cast<std::size_t>(size));
  Head head;
  if (received_.size() < sizeof head) return;
  std::memcpy(&head, received_.data(), sizeof head);
  if (head.size > kMostText) {
    report(Progress::failed, E2BIG);
    state_ = State::over;
    return;
  }
  const std::size_t whole = sizeof head + head.size;
  if (received_.size() < whole) return;
  const bool stopped = received_.size() > whole;  // kStop came along
  received_.resize(whole);
  start(stack);
  if (stopped) kill();
}

void Plugin::start(const ChildStack& stack) {
  Head head;
  std::memcpy(&head, received_.data(), sizeof head);
  received_.erase(0, sizeof head);
  Parsed parsed;
  state_ = State::over;
  if (!parse_request(head, received_, parsed)) {
    report(Progress::failed, EINVAL);
    return;
  }
  report(Progress::accepted);
  Start start{parsed.program,  parsed.argv.data(), parsed.env.data(), stdio_[0].get(),
              stdio_[1].get(), stdio_[2].get(),    ::getpid(),        0};
  pid_ = start_shared_child(become, stack, &start, SIGCHLD);
  if (pid_ < 0) start.error = errno;
  for (sys::Fd& fd : stdio_) fd.reset();
  std::string().swap(received_);
  if (start.error != 0) {
    if (pid_ > 0) reap();
    report(Progress::failed, start.error);
    return;
  }
  state_ = State::running;
  until_ = from_wire(head.deadline);
  keep_time(std::chrono::steady_clock::now());
}

// WNOWAIT leaves the child unreaped. A reaped child's number may be given to another process, which
// the SIGKILL that follows would hit.
void Plugin::look() {
  if (pid_ <= 0 || ended_ || state_ == State::over) return;
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
      info.si_pid != pid_) {
    return;
  }
  ended_ = true;
  const bool by_itself = info.si_code == CLD_EXITED;
  report(Progress::ended, by_itself ? info.si_status : -1, by_itself ? 0 : info.si_status);
  if (state_ != State::ending) reap();
}

void Plugin::keep_time(Deadline now) {
  if (state_ == State::running && now >= until_) {
    report(Progress::deadline);
    end();
  } else if (state_ == State::ending && now >= until_) {
    kill();
  }
}

void Plugin::abandon() {
  if (state_ == State::running) end();
}

void Plugin::end() {
  signal_session(pid_, SIGTERM);
  state_ = State::ending;
  until_ = std::chrono::steady_clock::now() + sys::kTermGrace;
}

void Plugin::kill() {
  if (pid_ <= 0 || state_ == State::over) return;
  signal_session(pid_, SIGKILL);
  state_ = State::killed;
  if (ended_) reap();
}

void Plugin::reap() {
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  state_ = State::over;
}

std::optional<Deadline> Plugin::next_time() const {
  if (state_ != State::running && state_ != State::ending) return std::nullopt;
  return until_;
}

}  // namespace unicni::spawner
