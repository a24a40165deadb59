#include "conformance/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace unicni::conformance {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// For what a plugin printed and its pipe still holds when it has ended.
constexpr std::chrono::milliseconds kAfterEnd{50};

/// stdin as a file in memory: it never blocks, however the program reads it.
int stdin_of(const std::string& text) {
  const int fd = ::memfd_create("stdin", MFD_CLOEXEC);
  std::size_t done = 0;
  while (done < text.size()) {
    const auto written = ::write(fd, text.data() + done, text.size() - done);
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> list;
  for (const std::string& each : strings) list.push_back(const_cast<char*>(each.c_str()));
  list.push_back(nullptr);
  return list;
}

[[noreturn]] void become(const Spawn& spawn, int in, int out, int err) {
  if (spawn.netns >= 0 && ::setns(spawn.netns, CLONE_NEWNET) != 0) ::_exit(125);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  if (spawn.without_stdin) ::close(STDIN_FILENO);
  auto argv = pointers(spawn.argv);
  auto env = pointers(spawn.env);
  ::execvpe(spawn.argv[0].c_str(), argv.data(), env.data());
  ::dprintf(STDERR_FILENO, "exec %s: %s\n", spawn.argv[0].c_str(), std::strerror(errno));
  ::_exit(126);
}

/// Appends what is there; closes and forgets the descriptor at its end.
void drain(int& fd, std::string& text) {
  char buffer[16384];
  const auto got = ::read(fd, buffer, sizeof buffer);
  if (got > 0) {
    text.append(buffer, static_cast<std::size_t>(got));
  } else if (got == 0 || errno != EINTR) {
    ::close(std::exchange(fd, -1));
  }
}

std::string cut(std::string text) {
  constexpr std::size_t kMost = 400;
  std::replace(text.begin(), text.end(), '\n', ' ');
  if (text.size() > kMost) text.replace(kMost, text.npos, " ...");
  return text;
}

}  // namespace

Running::Running(const Spawn& spawn) : end_(Clock::now() + spawn.limit) {
  int out[2];
  int err[2];
  if (::pipe2(out, O_CLOEXEC) != 0 || ::pipe2(err, O_CLOEXEC) != 0) {
    throw std::runtime_error("pipe: " + std::string(std::strerror(errno)));
  }
  const int in = stdin_of(spawn.in);
  pid_ = ::fork();
  if (pid_ == 0) become(spawn, in, out[1], err[1]);
  ::close(in);
  ::close(out[1]);
  ::close(err[1]);
  out_ = out[0];
  err_ = err[0];
  if (pid_ < 0) throw std::runtime_error("fork: " + std::string(std::strerror(errno)));
  process_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
}

Running::Running(Running&& other) noexcept
    : end_(other.end_),
      pid_(std::exchange(other.pid_, -1)),
      process_(std::exchange(other.process_, -1)),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)) {}

Running::~Running() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (const int fd : {process_, out_, err_}) {
    if (fd >= 0) ::close(fd);
  }
}

Output Running::wait() {
  Output output;
  bool ended = false;
  while (out_ >= 0 || err_ >= 0 || !ended) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end_ - Clock::now());
    if (left.count() <= 0) {
      output.hung = !ended;
      break;
    }
    if (output.out.size() > kMostOutput || output.err.size() > kMostOutput) {
      output.flooded = true;
      break;
    }
    pollfd files[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}, {ended ? -1 : process_, POLLIN, 0}};
    if (::poll(files, 3, static_cast<int>(left.count())) < 0) continue;
    if (files[0].revents != 0) drain(out_, output.out);
    if (files[1].revents != 0) drain(err_, output.err);
    if (files[2].revents != 0) {
      ended = true;
      end_ = std::min(end_, Clock::now() + kAfterEnd);
    }
  }
  if (!ended) ::kill(pid_, SIGKILL);
  int state = 0;
  ::waitpid(std::exchange(pid_, -1), &state, 0);
  if (WIFEXITED(state)) output.status = WEXITSTATUS(state);
  if (WIFSIGNALED(state)) output.signal = WTERMSIG(state);
  return output;
}

std::string Output::str() const {
  std::string text = hung          ? "it hung and was killed"
                     : flooded     ? "it printed without end and was killed"
                     : signal != 0 ? "signal " + std::to_string(signal)
                                   : "exit status " + std::to_string(status);
  text += out.empty() ? ", nothing on stdout" : ", stdout: " + cut(out);
  if (!err.empty()) text += ", stderr: " + cut(err);
  return text;
}

std::string tool(const std::vector<std::string>& argv, int netns) {
  Output output = run({.argv = argv, .env = {kPath}, .netns = netns});
  if (!output.ok()) {
    std::string command;
    for (const std::string& word : argv) command += word + ' ';
    throw std::runtime_error(command + "failed: " + output.str());
  }
  return std::move(output.out);
}

bool succeeds(const std::vector<std::string>& argv, int netns) {
  return run({.argv = argv, .env = {kPath}, .netns = netns}).ok();
}

}  // namespace unicni::conformance
