#include "runtime/spawner_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <string>

#include "runtime/no_signals.h"
#include "spawner/shared_child.h"
#include "spawner/wire.h"

namespace unicni::runtime {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kStartTime{5000};
constexpr milliseconds kLeaveTime{1000};
constexpr int kFirstFree = 10;   // above the numbers that the spawner expects
constexpr int kWaitByPidfd = 3;  // P_PIDFD, Linux 5.4

struct Start {
  int executable;
  int netns;
  int control;
  int program;
  int null;
  const spawner::ChildStack* stack;
  char* const* argv;
  char* const* env;
  pid_t pid;
  int error;
};

/// In the grandchild, whose memory is the program's.
UNICNI_IN_SHARED_CHILD int become_spawner(void* argument) {
  auto& start = *static_cast<Start*>(argument);
  // What isn't a spawner after all must not speak on the program's stderr.
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) ::syscall(SYS_dup3, start.null, fd, 0);
  const bool ready =
      (start.netns < 0 || ::syscall(SYS_setns, start.netns, CLONE_NEWNET) == 0) &&
      ::syscall(SYS_dup3, start.control, spawner::kControlFd, 0) >= 0 &&
      (start.program < 0 ? (::syscall(SYS_close, spawner::kProgramFd), true)
                         : ::syscall(SYS_dup3, start.program, spawner::kProgramFd, 0) >= 0);
  if (ready) {
    ::syscall(SYS_execveat, start.executable, "", start.argv, start.env, AT_EMPTY_PATH);
  }
  start.error = errno;
  ::syscall(SYS_exit_group, 127);
  return 127;
}

/// In the process between, whose memory is the program's as well.
UNICNI_IN_SHARED_CHILD int start_spawner(void* argument) {
  auto& start = *static_cast<Start*>(argument);
  start.pid = spawner::start_shared_child(become_spawner, *start.stack, argument, SIGCHLD);
  if (start.pid < 0) {
    start.error = errno;
  } else if (start.error != 0) {
    ::syscall(SYS_wait4, start.pid, nullptr, 0, nullptr);
  }
  ::syscall(SYS_exit_group, 0);
  return 0;
}

sys::Fd high(int fd) {
  sys::Fd moved(::fcntl(fd, F_DUPFD_CLOEXEC, kFirstFree));
  if (!moved) throw system_error(errno, "duplicate a descriptor");
  return moved;
}

sys::Fd open_pidfd(pid_t pid) {
  return sys::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

/// Whether a later attempt may not fail so.
bool passes(int error) {
  constexpr std::array kPassing{EAGAIN, ENOMEM, EMFILE, ENFILE, ETXTBSY};
  return std::ranges::find(kPassing, error) != kPassing.end();
}

bool wait_readable(int fd, Deadline until) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    pollfd ready{fd, POLLIN, 0};
    const int n = ::poll(&ready, 1, static_cast<int>(std::clamp<long>(left, 0, 60'000)));
    if (n >= 0 || errno != EINTR) return n > 0;
  }
}

}  // namespace

SpawnerProcess::SpawnerProcess(const sys::Fd& executable, const net::Netns& netns,
                               Deadline deadline)
    : owner_(::getpid()) {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw system_error(errno, "create a socket to the spawner");
  }
  control_ = sys::Fd(ends[0]);
  sys::Fd its_low(ends[1]);
  sys::Fd its_end = high(its_low.get());
  const sys::Fd program_low = open_pidfd(::getpid());
  const sys::Fd program = program_low ? high(program_low.get()) : sys::Fd();
  const sys::Fd executable_high = high(executable.get());
  // One that this thread is in already need not be entered.
  const sys::Fd netns_high = netns.is_current() ? sys::Fd() : high(netns.fd());
  const sys::Fd null_low(::open("/dev/null", O_RDWR | O_CLOEXEC));
  const sys::Fd null = null_low ? high(null_low.get()) : sys::Fd();
  std::string name = "unicni";
  std::string argument = spawner::kArgument;
  const std::array<char*, 3> argv{name.data(), argument.data(), nullptr};
  const std::array<char*, 1> env{nullptr};
  const spawner::ChildStack first;
  const spawner::ChildStack second;
  Start start{executable_high.get(),
              netns_high.get(),
              its_end.get(),
              program.get(),
              null.get(),
              &second,
              argv.data(),
              env.data(),
              -1,
              0};
  {
    const NoSignals no_signals;
    const pid_t between = spawner::start_shared_child(start_spawner, first, &start, 0);
    if (between < 0) start.error = errno;
    while (between > 0 && ::waitpid(between, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }
  if (start.error != 0) {
    const Error error = system_error(start.error, "execute the spawner");
    if (passes(start.error)) throw error;
    throw NotASpawner(error.code(), error.msg());
  }
  pid_ = start.pid;
  its_low.reset();  // else its end isn't seen
  its_end.reset();
  wait_for_greeting(std::min<Deadline>(deadline, Clock::now() + kStartTime));
  pidfd_ = open_pidfd(pid_);
}

void SpawnerProcess::wait_for_greeting(Deadline deadline) {
  if (!wait_readable(control_.get(), deadline)) {
    throw Error(Code::try_again, "the spawner did not start in time");
  }
  const spawner::Message message = spawner::receive_message(control_.get());
  if (message.bytes == spawner::kGreeting) return;
  throw NotASpawner(Code::internal, message.bytes.empty() ? "it ended instead of being the spawner"
                                                          : "it is a spawner of another version");
}

void SpawnerProcess::kill() const {
  if (pidfd_) ::syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
}

SpawnerProcess::~SpawnerProcess() { leave(); }

/// A copy of the program, made by fork(2), may hold the socket open: so it is told in words.
void SpawnerProcess::leave() noexcept {
  if (owner_ != ::getpid()) return;
  spawner::send_message(control_.get(), {&spawner::kQuit, 1}, {});
  control_.reset();
  if (!pidfd_) return;
  wait_readable(pidfd_.get(), Clock::now() + kLeaveTime);
  // Only if this program inherited it.
  siginfo_t info{};
  ::waitid(static_cast<idtype_t>(kWaitByPidfd), static_cast<id_t>(pidfd_.get()), &info,
           WEXITED | WNOHANG | __WALL);
}

}  // namespace unicni::runtime
