#include "support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <sstream>
#include <utility>

namespace unicni::test {

namespace {

constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

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
  for (const int fd : spawn.closed) ::close(fd);
  auto argv = pointers(spawn.argv);
  auto env = pointers(spawn.env);
  const std::string& file = spawn.program.empty() ? spawn.argv[0] : spawn.program;
  ::execvpe(file.c_str(), argv.data(), env.data());
  ::dprintf(STDERR_FILENO, "exec %s: %s\n", file.c_str(), std::strerror(errno));
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

}  // namespace

Running::Running(const Spawn& spawn)
    : start_(std::chrono::steady_clock::now()), limit_(spawn.limit) {
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
}

Running::Running(Running&& other) noexcept
    : start_(other.start_),
      limit_(other.limit_),
      pid_(std::exchange(other.pid_, -1)),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)) {}

Running::~Running() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  if (out_ >= 0) ::close(out_);
  if (err_ >= 0) ::close(err_);
}

bool Running::ends_within(std::chrono::milliseconds time) const {
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  pollfd end{process, POLLIN, 0};
  const bool ended = ::poll(&end, 1, static_cast<int>(time.count())) == 1;
  ::close(process);
  return ended;
}

Output Running::wait() {
  Output output;
  const auto end = start_ + limit_;
  while (out_ >= 0 || err_ >= 0) {
    pollfd files[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      ADD_FAILURE() << "still running after " << limit_.count() << " s";
      ::kill(pid_, SIGKILL);
      break;
    }
    if (::poll(files, 2, static_cast<int>(left.count())) < 0) continue;
    if (files[0].revents != 0) drain(out_, output.out);
    if (files[1].revents != 0) drain(err_, output.err);
  }
  int state = 0;
  ::waitpid(std::exchange(pid_, -1), &state, 0);
  output.ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start_).count();
  if (WIFEXITED(state)) output.status = WEXITSTATUS(state);
  if (WIFSIGNALED(state)) output.signal = WTERMSIG(state);
  return output;
}

Output run(const Spawn& spawn) { return Running(spawn).wait(); }

Json Output::json() const {
  Json json = Json::parse(out, nullptr, false);
  if (!json.is_discarded()) return json;
  ADD_FAILURE() << "stdout is not exactly one JSON document: " << str();
  return nullptr;
}

std::string Output::str() const {
  std::ostringstream text;
  text << (signal != 0 ? "signal " : "exit status ") << (signal != 0 ? signal : status)
       << "\nstdout: " << out << "\nstderr: " << err;
  return text.str();
}

Output tool(const std::vector<std::string>& argv, int netns) {
  const Output output = run({.argv = argv, .env = {kPath}, .netns = netns});
  if (!output.ok()) {
    std::string command;
    for (const std::string& word : argv) command += word + ' ';
    ADD_FAILURE() << command << ": " << output.str();
  }
  return output;
}

bool succeeds(const std::vector<std::string>& argv, int netns) {
  return run({.argv = argv, .env = {kPath}, .netns = netns}).ok();
}

Json tool_json(const std::vector<std::string>& argv, int netns) {
  const Output output = tool(argv, netns);
  if (output.out.find_first_not_of(" \n") == std::string::npos) return Json::array();
  return output.json();
}

}  // namespace unicni::test
