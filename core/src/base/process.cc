#include "unicni/sys/process.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <thread>

#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni::sys {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kGrace{200};      // between SIGTERM and SIGKILL
constexpr milliseconds kReapTime{1000};  // a killed process may hang in the kernel
constexpr milliseconds kPollWithoutPidfd{5};
constexpr std::size_t kErrTail = 4096;

struct Pipe {
  Fd read;
  Fd write;
};

/// Both ends above 2: a dup2 onto the child's stdin must not hit another pipe if our own stdio is
/// closed.
Pipe make_pipe() {
  std::array<int, 2> fds{-1, -1};
  if (::pipe2(fds.data(), O_CLOEXEC) != 0) throw system_error(errno, "create a pipe");
  Pipe pipe{Fd(fds[0]), Fd(fds[1])};
  for (Fd* end : {&pipe.read, &pipe.write}) {
    if (end->get() > 2) continue;
    Fd moved(::fcntl(end->get(), F_DUPFD_CLOEXEC, 3));
    if (!moved) throw system_error(errno, "duplicate a pipe");
    *end = std::move(moved);
  }
  return pipe;
}

void set_nonblocking(const Fd& fd) { ::fcntl(fd.get(), F_SETFL, O_NONBLOCK); }

/// Linux 5.3; without it the child's end is polled. By number: glibc 2.36's header lacks extern
/// "C".
Fd open_pidfd(pid_t pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

/// A write to a pipe that nobody reads any more must not end us: SIGPIPE is blocked in this thread,
/// and one that this caused is taken back before it is unblocked.
class NoSigpipe {
 public:
  NoSigpipe() {
    sigemptyset(&only_);
    sigaddset(&only_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &only_, &before_);
  }
  NoSigpipe(const NoSigpipe&) = delete;
  NoSigpipe& operator=(const NoSigpipe&) = delete;
  ~NoSigpipe() {
    const timespec now{};
    if (!was_pending_) {
      while (sigtimedwait(&only_, nullptr, &now) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  [[nodiscard]] const sigset_t& before() const { return before_; }

 private:
  sigset_t only_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

/// A process group of its own, so that a program that doesn't end in time can be ended with its
/// children. Signals as a program expects them: what this process blocks or ignores would be
/// inherited.
struct SpawnSettings {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  SpawnSettings(int in, int out, int err, const sigset_t& mask) {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int error = posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, err, 2);
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int number : {SIGPIPE, SIGTERM, SIGCHLD}) sigaddset(&defaults, number);
    posix_spawnattr_setsigdefault(&attributes, &defaults);
    posix_spawnattr_setsigmask(&attributes, &mask);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    if (error != 0) throw system_error(error, "prepare a child process");
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
};

/// As execve(2) wants them; valid as long as `texts`.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (const auto& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

pid_t spawn(const std::string& program, const std::vector<std::string>& arguments,
            const std::vector<std::string>& env, const SpawnSettings& settings, Deadline deadline) {
  const std::vector<char*> environment = pointers_to(env);
  std::vector<char*> argv = pointers_to(arguments);
  argv.insert(argv.begin(), const_cast<char*>(program.c_str()));
  milliseconds pause{1};
  for (;;) {
    pid_t pid = -1;
    const int error = ::posix_spawn(&pid, program.c_str(), &settings.actions, &settings.attributes,
                                    argv.data(), environment.data());
    if (error == 0) return pid;
    // ETXTBSY: somebody is writing the file, an update in place; it ends soon.
    if (error != ETXTBSY || Clock::now() + pause >= deadline) {
      throw system_error(error, "execute " + program);
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds(20));
  }
}

/// One run: the child and our ends of its pipes.
class Run {
 public:
  Run(const std::string& program, pid_t pid, std::string_view input, Fd in, Fd out, Fd err,
      LogSink* log)
      : program_(program),
        log_(log),
        pid_(pid),
        pidfd_(open_pidfd(pid)),
        input_(input),
        in_(std::move(in)),
        out_(std::move(out)),
        err_(std::move(err)) {
    for (const Fd* fd : {&in_, &out_, &err_}) set_nonblocking(*fd);
    if (input_.empty()) in_.reset();
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  // After an exception. Nobody waits for the child here: it is killed, and what is left of it
  // becomes a zombie until this process ends.
  ~Run() {
    if (ended_) return;
    signal_group(SIGKILL);
    reap(WNOHANG);
  }

  // The end of the program is the end of the run, not the end of its output: a daemon that it
  // started may hold the pipes for ever.
  ProcessResult finish(Deadline deadline) {
    while (!ended_ && Clock::now() < deadline) step(deadline);
    if (!ended_) stop();
    // Everything that the program itself wrote is in the pipes by now; what its children still hold
    // isn't waited for.
    drain();
    return std::move(result_);
  }

 private:
  /// Waits for something to happen, until `until` at most, and handles it.
  void step(Deadline until) {
    std::array<pollfd, 4> fds{pollfd{in_.get(), POLLOUT, 0}, pollfd{out_.get(), POLLIN, 0},
                              pollfd{err_.get(), POLLIN, 0}, pollfd{pidfd_.get(), POLLIN, 0}};
    auto wait = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (!pidfd_) wait = std::min(wait, kPollWithoutPidfd);
    const auto limit = std::clamp<milliseconds::rep>(wait.count(), 0, 60'000);
    if (::poll(fds.data(), fds.size(), static_cast<int>(limit)) < 0 && errno != EINTR) {
      throw system_error(errno, "wait for " + program_);
    }
    if (fds[0].revents != 0) feed();
    if (fds[1].revents != 0) read_out();
    if (fds[2].revents != 0) read_err();
    if (fds[3].revents != 0 || !pidfd_) reap(WNOHANG);
  }

  void feed() {
    const ssize_t n = ::write(in_.get(), input_.data(), input_.size());
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (n > 0) input_.remove_prefix(static_cast<std::size_t>(n));
    if (n < 0 || input_.empty()) in_.reset();  // EPIPE: it doesn't want to know
  }

  /// False when there is nothing to read now, or ever.
  bool read_some(Fd& fd, std::array<char, 16384>& buffer, std::string_view& got) {
    if (!fd) return false;
    const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
    if (n > 0) {
      got = std::string_view(buffer.data(), static_cast<std::size_t>(n));
      return true;
    }
    if (n == 0 || (errno != EAGAIN && errno != EINTR)) fd.reset();
    return false;
  }

  // What is beyond the limit is read and dropped, as a program that can't write hangs.
  bool read_out() {
    std::array<char, 16384> buffer;
    std::string_view got;
    if (!read_some(out_, buffer, got)) return false;
    result_.out += got.substr(0, kOutputLimit - result_.out.size());
    return true;
  }

  // The last bytes are kept for the error, as the cause of a failure mostly stands at the end. All
  // of it goes to our own stderr, which a runtime logs.
  bool read_err() {
    std::array<char, 16384> buffer;
    std::string_view got;
    if (!read_some(err_, buffer, got)) return false;
    std::string& tail = result_.err_tail;
    tail += got;
    if (tail.size() > kErrTail) tail.erase(0, tail.size() - kErrTail);
    if (log_ != nullptr) log_->pass_on(got);
    return true;
  }

  // SIGTERM first: iptables holds a lock file and flannel writes a file, and both clean up.
  void stop() {
    result_.timed_out = true;
    signal_group(SIGTERM);
    const auto grace_end = Clock::now() + kGrace;
    // Closed pipes stand for "its children are gone, too".
    while (Clock::now() < grace_end && (!exited() || out_ || err_)) step_unreaped(grace_end);
    signal_group(SIGKILL);  // the child is not reaped yet, so its number is still its own
    const auto reap_end = Clock::now() + kReapTime;
    while (!ended_ && Clock::now() < reap_end) {
      reap(WNOHANG);
      if (!ended_) std::this_thread::sleep_for(milliseconds(1));
    }
    if (ended_) return;
    ended_ = true;
    result_.exit_status = -1;
    result_.signal = SIGKILL;
  }

  // WNOWAIT leaves the child unreaped. A reaped child's number may be given to another process,
  // which the SIGKILL that follows would hit.
  [[nodiscard]] bool exited() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
  }

  void step_unreaped(Deadline until) {
    std::array<pollfd, 2> fds{pollfd{out_.get(), POLLIN, 0}, pollfd{err_.get(), POLLIN, 0}};
    const auto wait =
        std::min(std::chrono::ceil<milliseconds>(until - Clock::now()), kPollWithoutPidfd);
    ::poll(fds.data(), fds.size(), static_cast<int>(std::max<milliseconds::rep>(wait.count(), 0)));
    if (fds[0].revents != 0) read_out();
    if (fds[1].revents != 0) read_err();
  }

  void drain() {
    // Bounded, in case a child goes on writing.
    for (std::size_t i = 0; i < kOutputLimit / 4096 && read_out(); ++i) {
    }
    for (std::size_t i = 0; i < 1024 && read_err(); ++i) {
    }
  }

  void signal_group(int number) const {
    ::kill(-pid_, number);
    ::kill(pid_, number);  // it may have left its group
  }

  void reap(int flags) {
    int status = 0;
    pid_t pid = -1;
    do {
      pid = ::waitpid(pid_, &status, flags);
    } while (pid < 0 && errno == EINTR);
    if (pid == 0) return;
    ended_ = true;
    if (pid < 0) {
      throw system_error(errno, "wait for " + program_)
          .advise("SIGCHLD must not be ignored by the caller");
    }
    if (WIFSIGNALED(status)) {
      result_.exit_status = -1;
      result_.signal = WTERMSIG(status);
    } else {
      result_.exit_status = WEXITSTATUS(status);
    }
  }

  const std::string& program_;
  LogSink* log_;
  pid_t pid_;
  Fd pidfd_;
  std::string_view input_;
  Fd in_;
  Fd out_;
  Fd err_;
  bool ended_ = false;
  ProcessResult result_;
};

}  // namespace

ProcessResult run_process(const std::string& program, const std::vector<std::string>& env,
                          std::string_view input, Deadline deadline,
                          const std::vector<std::string>& arguments, LogSink* log) {
  if (Clock::now() >= deadline) {
    throw Error(Code::try_again, fmt::format("execute {}: no time is left for it", program));
  }
  const NoSigpipe no_sigpipe;
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  const SpawnSettings settings(in.read.get(), out.write.get(), err.write.get(),
                               no_sigpipe.before());
  const pid_t pid = spawn(program, arguments, env, settings, deadline);
  // Our copies of the child's ends: while one is open, no end of file comes.
  in.read.reset();
  out.write.reset();
  err.write.reset();
  Run run(program, pid, input, std::move(in.write), std::move(out.read), std::move(err.read), log);
  return run.finish(deadline);
}

}  // namespace unicni::sys
