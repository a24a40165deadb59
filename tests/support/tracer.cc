#include "support/tracer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string_view>

namespace unicni::test {

namespace {

using SyscallInfo = __ptrace_syscall_info;

std::string descriptor_path(pid_t pid, std::uint64_t fd) {
  const std::string link =
      "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(static_cast<int>(fd));
  char target[PATH_MAX];
  const auto length = ::readlink(link.c_str(), target, sizeof target);
  return length < 0 ? std::string() : std::string(target, static_cast<std::size_t>(length));
}

bool is_state(std::string_view path) {
  return path.starts_with("/run/") || path.starts_with("/var/lib/cni") ||
         path.starts_with("/proc/sys/");
}

/// What the process is about to do, if others can see it.
std::optional<std::string> visible_step(pid_t pid, const SyscallInfo& info) {
  const auto& args = info.entry.args;
  switch (info.entry.nr) {
    case SYS_write:
    case SYS_pwrite64:
    case SYS_writev: {
      if (args[0] == STDOUT_FILENO) return "write to stdout";
      const std::string path = descriptor_path(pid, args[0]);
      if (is_state(path)) return "write to " + path;
      return std::nullopt;
    }
    case SYS_ftruncate:
      return "ftruncate " + descriptor_path(pid, args[0]);
    case SYS_sendto:
    case SYS_sendmsg:
      return "send on " + descriptor_path(pid, args[0]);
    case SYS_openat:
      if ((args[2] & O_CREAT) != 0) return "create a file";
      return std::nullopt;
    case SYS_renameat:
    case SYS_renameat2:
#ifdef SYS_rename
    case SYS_rename:
    case SYS_unlink:
    case SYS_mkdir:
    case SYS_link:
#endif
    case SYS_unlinkat:
    case SYS_mkdirat:
    case SYS_linkat:
      return "change a folder (syscall " + std::to_string(info.entry.nr) + ")";
    case SYS_exit_group:
      return "exit";
    default:
      return std::nullopt;
  }
}

[[noreturn]] void become_traced(const Spawn& spawn, int in, int out) {
  std::vector<char*> argv;
  std::vector<char*> env;
  for (const std::string& each : spawn.argv) argv.push_back(const_cast<char*>(each.c_str()));
  for (const std::string& each : spawn.env) env.push_back(const_cast<char*>(each.c_str()));
  argv.push_back(nullptr);
  env.push_back(nullptr);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  ::execve(argv[0], argv.data(), env.data());
  ::_exit(126);
}

std::string contents(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  ::lseek(fd, 0, SEEK_SET);
  for (;;) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

int file_in_memory(const std::string& text) {
  const int fd = ::memfd_create("traced", MFD_CLOEXEC);
  if (fd < 0 || ::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("memfd_create");
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

/// Runs to the k-th step or to the end; the program's state as of wait(2).
int run_to(pid_t pid, int k, Stop& stop) {
  int state = 0;
  ::waitpid(pid, &state, 0);  // stopped by its own exec
  ::ptrace(PTRACE_SETOPTIONS, pid, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  int deliver = 0;
  for (int seen = 0; WIFSTOPPED(state);) {
    if (::ptrace(PTRACE_SYSCALL, pid, nullptr, static_cast<long>(deliver)) != 0) break;
    if (::waitpid(pid, &state, 0) < 0 || !WIFSTOPPED(state)) break;
    deliver = 0;
    if (WSTOPSIG(state) != (SIGTRAP | 0x80)) {
      if (WSTOPSIG(state) != SIGTRAP) deliver = WSTOPSIG(state);
      continue;
    }
    SyscallInfo info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) continue;
    const auto step = visible_step(pid, info);
    if (!step || ++seen < k) continue;
    stop.reached = true;
    stop.step = std::to_string(k) + ": " + *step;
    break;
  }
  return state;
}

Stop trace(const Spawn& spawn, int k, const std::function<void(pid_t)>& at_stop) {
  const int in = file_in_memory(spawn.in);
  const int out = file_in_memory("");
  const pid_t pid = ::fork();
  if (pid == 0) become_traced(spawn, in, out);
  Stop stop;
  int state = run_to(pid, k, stop);
  if (stop.reached) {
    at_stop(pid);
    ::waitpid(pid, &state, 0);
  }
  if (WIFEXITED(state)) stop.output.status = WEXITSTATUS(state);
  if (WIFSIGNALED(state)) stop.output.signal = WTERMSIG(state);
  stop.output.out = contents(out);
  ::close(in);
  ::close(out);
  return stop;
}

}  // namespace

Stop kill_at(const Spawn& spawn, int k) {
  return trace(spawn, k, [](pid_t pid) { ::kill(pid, SIGKILL); });
}

Stop pause_at(const Spawn& spawn, int k, const std::function<void()>& work) {
  return trace(spawn, k, [&](pid_t pid) {
    work();
    ::ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
  });
}

}  // namespace unicni::test
