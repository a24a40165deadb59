#include "unicni/sys/process.h"

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

#include "base/program_runner.h"
#include "base/program_streams.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni::sys {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr milliseconds kPollWithoutPidfd{5};

/// Linux 5.3; without it the child's end is polled. By number: glibc 2.36's header lacks extern
/// "C".
Fd open_pidfd(pid_t pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

/// A process group of its own, so that a program that doesn't end in time can be ended with its
/// children. Signals as a program expects them: what this process blocks or ignores would be
/// inherited.
struct SpawnSettings {
  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;
  SpawnSettings(int in, int out, int err) {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int error = posix_spawn_file_actions_adddup2(&actions, in, 0);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, out, 1);
    if (error == 0) error = posix_spawn_file_actions_adddup2(&actions, err, 2);
    sigset_t signals;
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
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
      refuse_execution(program, error);
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, milliseconds(20));
  }
}

/// One run: the child and our ends of its pipes.
class Run {
 public:
  Run(const std::string& program, pid_t pid, ProgramStreams streams)
      : program_(program), pid_(pid), pidfd_(open_pidfd(pid)), streams_(std::move(streams)) {}
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  // After an exception. Nobody waits for the child here: it is killed, and what is left of it
  // becomes a zombie until this process ends.
  ~Run() {
    if (ended_) return;
    signal_group(SIGKILL);
    ::waitpid(pid_, nullptr, WNOHANG);
  }

  // The end of the program is the end of the run, not the end of its output: a daemon that it
  // started may hold the pipes for ever.
  ProcessResult finish(std::string_view input, Deadline deadline, LogSink* log) {
    streams_.begin(input, log);
    while (!ended_ && Clock::now() < deadline) step(deadline);
    if (!ended_) stop();
    // Everything that the program itself wrote is in the pipes by now; what its children still hold
    // isn't waited for.
    streams_.drain();
    streams_.move_to(result_);
    return std::move(result_);
  }

 private:
  /// Waits for something to happen, until `until` at most, and handles it.
  void step(Deadline until) {
    const auto [in, out, err] = streams_.wanted();
    std::array<pollfd, 4> fds{in, out, err, pollfd{pidfd_.get(), POLLIN, 0}};
    auto wait = std::chrono::ceil<milliseconds>(until - Clock::now());
    if (!pidfd_) wait = std::min(wait, kPollWithoutPidfd);
    const auto limit = std::clamp<milliseconds::rep>(wait.count(), 0, 60'000);
    if (::poll(fds.data(), fds.size(), static_cast<int>(limit)) < 0 && errno != EINTR) {
      throw system_error(errno, "wait for " + program_);
    }
    streams_.handle(fds);
    if (fds[3].revents != 0 || !pidfd_) reap(WNOHANG);
  }

  void stop() {
    result_.timed_out = true;
    signal_group(SIGTERM);
    const auto grace_end = Clock::now() + kTermGrace;
    // Closed pipes stand for "its children are gone, too".
    while (Clock::now() < grace_end && (!exited() || !streams_.ended())) step_unreaped(grace_end);
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
    auto fds = streams_.wanted();
    const auto wait =
        std::min(std::chrono::ceil<milliseconds>(until - Clock::now()), kPollWithoutPidfd);
    ::poll(fds.data(), fds.size(), static_cast<int>(std::max<milliseconds::rep>(wait.count(), 0)));
    streams_.handle(fds);
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
  pid_t pid_;
  Fd pidfd_;
  ProgramStreams streams_;
  bool ended_ = false;
  ProcessResult result_;
};

}  // namespace

void refuse_execution(const std::string& program, int error) {
  const Error failure = system_error(error, "execute " + program);
  constexpr std::array kOfTheFile = {EACCES, ENOENT, ENOTDIR, ELOOP, ENOEXEC, EISDIR, ELIBBAD};
  if (std::ranges::find(kOfTheFile, error) == kOfTheFile.end()) throw Error(failure);
  throw Unexecutable(failure.code(), failure.msg(),
                     fmt::format("install {} again: its mode, its format or its interpreter keeps "
                                 "the kernel from executing it",
                                 program));
}

void require_time(const std::string& program, Deadline deadline) {
  if (Clock::now() < deadline) return;
  throw Error(Code::try_again, fmt::format("execute {}: no time is left for it", program));
}

ProcessResult run_process(const std::string& program, const std::vector<std::string>& env,
                          std::string_view input, Deadline deadline,
                          const std::vector<std::string>& arguments, LogSink* log) {
  require_time(program, deadline);
  const NoSigpipe no_sigpipe;
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  const SpawnSettings settings(in.read.get(), out.write.get(), err.write.get());
  const pid_t pid = spawn(program, arguments, env, settings, deadline);
  // Our copies of the child's ends: while one is open, no end of file comes.
  in.read.reset();
  out.write.reset();
  err.write.reset();
  Run run(program, pid,
          ProgramStreams(std::move(in.write), std::move(out.read), std::move(err.read)));
  return run.finish(input, deadline, log);
}

}  // namespace unicni::sys
