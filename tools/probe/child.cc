#include "probe/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace unicni::probe {
namespace {

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

/// execve(2), and only for a name without '/' what looks it up: execvpe(3) gives a file that the
/// kernel can't execute to /bin/sh, which no runtime does.
void execute(const std::string& file, char** argv, char** env) {
  if (file.find('/') == file.npos) {
    ::execvpe(file.c_str(), argv, env);
  } else {
    ::execve(file.c_str(), argv, env);
  }
}

/// What the child needs memory for, made before there is one: a copy of a process of several
/// threads may find malloc's lock taken for good. glibc's own frees it, a sanitizer's doesn't.
struct Words {
  explicit Words(const Spawn& spawn)
      : argv(pointers(spawn.argv)),
        env(pointers(spawn.env)),
        file(spawn.program.empty() ? spawn.argv[0] : spawn.program) {}
  std::vector<char*> argv;
  std::vector<char*> env;
  const std::string& file;
};

[[noreturn]] void become(const Spawn& spawn, Words& words, int in, int out, int err, int failure) {
  if (spawn.netns >= 0 && ::setns(spawn.netns, CLONE_NEWNET) != 0) ::_exit(125);
  if (!spawn.folder.empty() && ::chdir(spawn.folder.c_str()) != 0) ::_exit(125);
  if (spawn.own_session) ::setsid();
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  for (const int fd : spawn.closed) ::close(fd);
  execute(words.file, words.argv.data(), words.env.data());
  const int error = errno;
  if (::write(failure, &error, sizeof error) < 0) ::_exit(125);
  ::dprintf(STDERR_FILENO, "exec %s: %s\n", words.file.c_str(), std::strerror(error));
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

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

}  // namespace

Child::Child(const Spawn& spawn) {
  int out[2];
  int err[2];
  int failure[2];
  if (::pipe2(out, O_CLOEXEC) != 0) fail("pipe");
  if (::pipe2(err, O_CLOEXEC) != 0) fail("pipe");
  if (::pipe2(failure, O_CLOEXEC | O_NONBLOCK) != 0) fail("pipe");
  const int in = stdin_of(spawn.in);
  Words words(spawn);
  pid_ = ::fork();
  if (pid_ == 0) become(spawn, words, in, out[1], err[1], failure[1]);
  if (pid_ < 0) fail("fork");
  ::close(in);
  ::close(out[1]);
  ::close(err[1]);
  ::close(failure[1]);
  out_ = out[0];
  err_ = err[0];
  failure_ = failure[0];
  process_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
}

Child::Child(Child&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      process_(std::exchange(other.process_, -1)),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)),
      failure_(std::exchange(other.failure_, -1)),
      has_ended_(other.has_ended_) {}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  for (const int fd : {process_, out_, err_, failure_}) {
    if (fd >= 0) ::close(fd);
  }
}

void Child::read(std::chrono::milliseconds most, std::string& out, std::string& err) {
  pollfd files[] = {{out_, POLLIN, 0}, {err_, POLLIN, 0}, {has_ended_ ? -1 : process_, POLLIN, 0}};
  if (::poll(files, 3, static_cast<int>(most.count())) < 0) return;
  if (files[0].revents != 0) drain(out_, out);
  if (files[1].revents != 0) drain(err_, err);
  if (files[2].revents != 0) has_ended_ = true;
}

bool Child::ends_within(std::chrono::milliseconds most) const {
  pollfd end{process_, POLLIN, 0};
  return ::poll(&end, 1, static_cast<int>(most.count())) == 1;
}

void Child::kill() const { ::kill(pid_, SIGKILL); }

int Child::reap() {
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  return status;
}

int Child::exec_error() const {
  int error = 0;
  return ::read(failure_, &error, sizeof error) == sizeof error ? error : 0;
}

}  // namespace unicni::probe
