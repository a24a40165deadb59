#include "program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

namespace unicni::bench {
namespace {

[[noreturn]] void fail(const char* what, int error) {
  throw std::system_error(error, std::generic_category(), what);
}

/// An anonymous file, closed at the end and on exec.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& text = {}) : fd_(::memfd_create("bench", MFD_CLOEXEC)) {
    if (fd_ < 0) fail("memfd_create", errno);
    if (::pwrite(fd_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
      fail("pwrite", errno);
    }
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::string text() const {
    std::string text(static_cast<std::size_t>(::lseek(fd_, 0, SEEK_END)), '\0');
    if (::pread(fd_, text.data(), text.size(), 0) < 0) fail("pread", errno);
    return text;
  }

 private:
  int fd_;
};

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void connect(const MemoryFile& file, int to) {
    posix_spawn_file_actions_adddup2(&actions_, file.fd(), to);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (const std::string& text : texts) list.push_back(const_cast<char*>(text.c_str()));
  list.push_back(nullptr);
  return list;
}

double now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

}  // namespace

Outcome run(const Command& command) {
  const MemoryFile input(command.input);
  const MemoryFile output;
  const MemoryFile errors;
  FileActions actions;
  actions.connect(input, STDIN_FILENO);
  actions.connect(output, STDOUT_FILENO);
  actions.connect(errors, STDERR_FILENO);
  const std::vector<char*> arguments = pointers(command.arguments);
  const std::vector<char*> environment = pointers(command.environment);

  const double start = now();
  pid_t child = 0;
  const int error = ::posix_spawn(&child, arguments[0], actions.get(), nullptr, arguments.data(),
                                  environment.data());
  if (error != 0) fail(arguments[0], error);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) fail("waitpid", errno);
  }
  const double end = now();
  return {end - start, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
          output.text(), errors.text()};
}

Outcome run_well(const Command& command) {
  Outcome outcome = run(command);
  if (outcome.status == 0) return outcome;
  std::string text = command.arguments[0] + " ended with status " + std::to_string(outcome.status);
  for (const std::string& variable : command.environment) text += "\n  " + variable;
  throw std::runtime_error(text + "\n" + outcome.output + outcome.errors);
}

}  // namespace unicni::bench
