#include "daemon/start.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "daemon/address.h"
#include "spawner/shared_child.h"
#include "unicni/sys/lock.h"

namespace unicni::daemon {
namespace {

constexpr int kFirstFree = 10;             // above the numbers that the daemon expects
constexpr std::size_t kKernelSignals = 8;  // bytes of its sigset_t

struct Start {
  const char* program;
  int listener;
  int null;
  const spawner::ChildStack* stack;
  char* const* argv;
  char* const* env;
  int error;
};

/// In the grandchild, whose memory is the program's until it executes.
UNICNI_IN_SHARED_CHILD int become_daemon(void* argument) {
  auto& start = *static_cast<Start*>(argument);
  const std::uint64_t no_signals = 0;
  ::syscall(SYS_setsid);
  bool ready =
      ::syscall(SYS_chdir, "/") == 0 && ::syscall(SYS_dup3, start.listener, kListenerFd, 0) >= 0;
  for (int fd = 0; fd < kListenerFd; ++fd) {
    ready = ready && ::syscall(SYS_dup3, start.null, fd, 0) >= 0;
  }
  if (ready) {
    // What can't be closed at once (Linux before 5.9) is O_CLOEXEC, if it is ours.
    ::syscall(SYS_close_range, kListenerFd + 1, ~0U, 0U);
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &no_signals, nullptr, kKernelSignals);
    ::syscall(SYS_execve, start.program, start.argv, start.env);
  }
  start.error = errno;
  ::syscall(SYS_exit_group, 127);
  return 127;
}

/// In the process between, which ends at once, so that the daemon is init's.
UNICNI_IN_SHARED_CHILD int start_daemon(void* argument) {
  auto& start = *static_cast<Start*>(argument);
  const pid_t pid = spawner::start_shared_child(become_daemon, *start.stack, argument, SIGCHLD);
  if (pid < 0) {
    start.error = errno;
  } else if (start.error != 0) {
    ::syscall(SYS_wait4, pid, nullptr, 0, nullptr);
  }
  ::syscall(SYS_exit_group, 0);
  return 0;
}

sys::Fd high(const sys::Fd& fd) {
  sys::Fd moved(::fcntl(fd.get(), F_DUPFD_CLOEXEC, kFirstFree));
  if (!moved) throw system_error(errno, "duplicate a descriptor");
  return moved;
}

void execute(const DaemonPlace& place, const sys::Fd& listener) {
  const sys::Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) throw system_error(errno, "open /dev/null");
  const sys::Fd high_listener = high(listener);
  const sys::Fd high_null = high(null);
  std::vector<std::string> words{place.name, "daemon", "-socketpath", place.socket};
  if (!place.folder.empty()) words.insert(words.end(), {"-folder", place.folder});
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::string path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  std::string variable = fmt::format("{}={}", kListenerVariable, kListenerFd);
  const std::array<char*, 3> env{path.data(), variable.data(), nullptr};
  const spawner::ChildStack first;
  const spawner::ChildStack second;
  Start start{place.executable.c_str(),
              high_listener.get(),
              high_null.get(),
              &second,
              argv.data(),
              env.data(),
              0};
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t between = spawner::start_shared_child(start_daemon, first, &start, 0);
  if (between < 0) start.error = errno;
  while (between > 0 && ::waitpid(between, nullptr, __WALL) < 0 && errno == EINTR) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (start.error != 0) {
    throw system_error(start.error,
                       fmt::format("start {} as {} daemon", place.executable, place.name));
  }
}

}  // namespace

std::string command_of(const DaemonPlace& place) {
  const std::string folder = place.folder.empty() ? "" : " -folder " + place.folder;
  return fmt::format("{} daemon -socketpath {}{}", place.name, place.socket, folder);
}

/// The socket is made here and given to the daemon, so it can be connected to at once: verbs queue
/// in it until the daemon is ready. If the daemon can't be executed, it goes again.
sys::Fd start(const DaemonPlace& place, Deadline deadline) {
  if (place.executable.empty()) {
    throw Error(
        Code::not_available,
        fmt::format("the {} daemon does not run: nobody listens on {}", place.name, place.socket),
        "start it: " + command_of(place));
  }
  ensure_folder_of(place.socket);
  const sys::Lock lock(lock_file(place.socket), 0600, sys::lock_deadline(deadline));
  if (auto other = connect(place.name, place.socket, deadline)) return *std::move(other);
  const sys::Fd listener = listen(place.socket);
  try {
    execute(place, listener);
  } catch (const Error&) {
    ::unlink(place.socket.c_str());
    throw;
  }
  auto connection = connect(place.name, place.socket, deadline);
  if (!connection) {
    throw Error(Code::not_available, fmt::format("the {} daemon ended at once", place.name),
                "see what it says: " + command_of(place));
  }
  return *std::move(connection);
}

}  // namespace unicni::daemon
