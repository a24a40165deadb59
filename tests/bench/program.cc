#include "program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
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

/// Everything that isn't to be measured is done before start() and after the program's end.
class Run {
 public:
  explicit Run(const Command& command)
      : input_(command.input),
        arguments_(pointers(command.arguments)),
        environment_(pointers(command.environment)) {
    actions_.connect(input_, STDIN_FILENO);
    actions_.connect(output_, STDOUT_FILENO);
    actions_.connect(errors_, STDERR_FILENO);
  }

  void start() {
    started_ = now();
    const int error = ::posix_spawn(&process_, arguments_[0], actions_.get(), nullptr,
                                    arguments_.data(), environment_.data());
    if (error != 0) fail(arguments_[0], error);
  }
  [[nodiscard]] pid_t process() const { return process_; }
  [[nodiscard]] double started() const { return started_; }
  [[nodiscard]] Outcome outcome(double ended, int status) const {
    return {ended - started_, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            output_.text(), errors_.text()};
  }

 private:
  MemoryFile input_;
  MemoryFile output_;
  MemoryFile errors_;
  FileActions actions_;
  std::vector<char*> arguments_;
  std::vector<char*> environment_;
  pid_t process_ = 0;
  double started_ = 0;
};

struct End {
  pid_t process;
  int status;
  double time;
};

/// `which` as waitpid(2) has it.
End wait_for(pid_t which) {
  int status = 0;
  pid_t process = 0;
  while ((process = ::waitpid(which, &status, 0)) < 0) {
    if (errno != EINTR) fail("waitpid", errno);
  }
  return {process, status, now()};
}

void require_success(const Command& command, const Outcome& outcome) {
  if (outcome.status == 0) return;
  std::string text = command.arguments[0] + " ended with status " + std::to_string(outcome.status);
  for (const std::string& variable : command.environment) text += "\n  " + variable;
  throw std::runtime_error(text + "\n" + outcome.output + outcome.errors);
}

}  // namespace

Outcome run(const Command& command) {
  Run one(command);
  one.start();
  const End end = wait_for(one.process());
  return one.outcome(end.time, end.status);
}

Outcome run_well(const Command& command) {
  Outcome outcome = run(command);
  require_success(command, outcome);
  return outcome;
}

std::string find_program(const std::string& name) {
  for (const char* folder :
       {"/usr/local/sbin/", "/usr/sbin/", "/sbin/", "/usr/local/bin/", "/usr/bin/", "/bin/"}) {
    std::string path = folder + name;
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  throw std::runtime_error("no program " + name + "; tools/setup --tests installs it");
}

Together run_together(const std::vector<Command>& commands) {
  std::vector<std::unique_ptr<Run>> runs;
  runs.reserve(commands.size());
  for (const Command& command : commands) runs.push_back(std::make_unique<Run>(command));
  for (const auto& each : runs) each->start();

  Together all;
  all.outcomes.resize(runs.size());
  for (std::size_t left = runs.size(); left > 0; --left) {
    const End end = wait_for(-1);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (runs[i]->process() == end.process) {
        all.outcomes[i] = runs[i]->outcome(end.time, end.status);
      }
    }
    all.milliseconds = end.time - runs.front()->started();
  }
  for (std::size_t i = 0; i < commands.size(); ++i) require_success(commands[i], all.outcomes[i]);
  return all;
}

}  // namespace unicni::bench
