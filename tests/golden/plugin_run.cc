#include "plugin_run.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace unicni::golden {
namespace {

constexpr int kTimeLimit = 20000;  // ms
constexpr int kCannotStart = 126;

// Memory files stand in for pipes: nobody has to read while the other writes.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& content = {})
      : fd_(::memfd_create("golden", MFD_CLOEXEC)) {
    std::size_t done = 0;
    while (done < content.size()) {
      const ssize_t count =
          ::pwrite(fd_, content.data() + done, content.size() - done, static_cast<off_t>(done));
      if (count <= 0) break;
      done += static_cast<std::size_t>(count);
    }
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(fd_); }

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::string content() const {
    std::string text;
    std::array<char, 4096> buffer;
    ssize_t count = 0;
    while ((count = ::pread(fd_, buffer.data(), buffer.size(), static_cast<off_t>(text.size()))) >
           0) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  int fd_;
};

[[noreturn]] void become(const std::string& program, std::vector<std::string> env, int in, int out,
                         int err) {
  std::vector<char*> variables;
  variables.reserve(env.size() + 1);
  for (std::string& variable : env) variables.push_back(variable.data());
  variables.push_back(nullptr);
  std::string path = program;
  std::array<char*, 2> arguments{path.data(), nullptr};
  ::dup2(err, STDERR_FILENO);
  ::dup2(out, STDOUT_FILENO);
  if (in < 0) {
    ::close(STDIN_FILENO);
  } else {
    ::dup2(in, STDIN_FILENO);
  }
  if (::unshare(CLONE_NEWNET) == 0) ::execve(path.data(), arguments.data(), variables.data());
  const char* reason = ::strerrordesc_np(errno);
  if (::write(STDERR_FILENO, reason, ::strlen(reason)) < 0) ::_exit(kCannotStart + 1);
  ::_exit(kCannotStart);
}

}  // namespace

PluginRun run_plugin(const std::string& program, const std::vector<std::string>& env,
                     const std::optional<std::string>& input) {
  const MemoryFile in(input.value_or(""));
  const MemoryFile out;
  const MemoryFile err;
  const pid_t child = ::fork();
  if (child == 0) become(program, env, input ? in.fd() : -1, out.fd(), err.fd());
  PluginRun run;
  if (child < 0) {
    run.err = "fork failed";
    return run;
  }
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  pollfd wait{process, POLLIN, 0};
  const bool ended = ::poll(&wait, 1, kTimeLimit) == 1;
  if (!ended) ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(process);
  run.out = out.content();
  run.err = err.content();
  if (WIFEXITED(status)) run.exit_status = WEXITSTATUS(status);
  if (!ended) run.err += "\nkilled: it ran too long";
  if (ended && WIFSIGNALED(status)) {
    run.err += std::string("\nended by SIG") + ::sigabbrev_np(WTERMSIG(status));
  }
  return run;
}

std::string isolate() {
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("tmpfs", "/run", "tmpfs", 0, "mode=0755") != 0) {
    return std::string("cannot make private namespaces (root is needed): ") +
           ::strerrordesc_np(errno);
  }
  return {};
}

}  // namespace unicni::golden
