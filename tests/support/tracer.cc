#include "support/tracer.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <optional>
#include <string_view>

#include "support/traced.h"

namespace unicni::test {

namespace {

bool is_state(std::string_view path) {
  return path.starts_with("/run/") || path.starts_with("/var/lib/cni") ||
         path.starts_with("/proc/sys/");
}

/// What the process is about to do, if others can see it.
std::optional<std::string> visible_step(const Traced& program) {
  switch (program.number()) {
    case SYS_write:
    case SYS_pwrite64:
    case SYS_writev: {
      if (program.argument(0) == STDOUT_FILENO) return "write to stdout";
      const std::string path = program.descriptor(program.argument(0));
      if (is_state(path)) return "write to " + path;
      return std::nullopt;
    }
    case SYS_ftruncate:
      return "ftruncate " + program.descriptor(program.argument(0));
    case SYS_sendto:
    case SYS_sendmsg:
      return "send on " + program.descriptor(program.argument(0));
    case SYS_openat:
      if ((program.argument(2) & O_CREAT) != 0) return "create a file";
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
      return "change a folder (syscall " + std::to_string(program.number()) + ")";
    case SYS_exit_group:
      return "exit";
    default:
      return std::nullopt;
  }
}

Stop trace(const Spawn& spawn, int k, const std::function<void(Traced&)>& at_stop) {
  Traced program(spawn);
  Stop stop;
  for (int seen = 0; program.next_call();) {
    const auto step = visible_step(program);
    if (!step || ++seen < k) continue;
    stop.reached = true;
    stop.step = std::to_string(k) + ": " + *step;
    at_stop(program);
    break;
  }
  stop.output = program.output();
  return stop;
}

constexpr const char* kFork = "fork";

/// The name of the call, if a process or a program comes from it; threads don't count.
std::optional<std::string> birth(const Traced& program) {
  switch (program.number()) {
    case SYS_clone:
      if ((program.argument(0) & CLONE_THREAD) != 0) return std::nullopt;
      return (program.argument(0) & CLONE_VM) != 0 ? "clone" : kFork;
    case SYS_clone3:
      return "clone3";
#ifdef SYS_fork
    case SYS_fork:
      return kFork;
    case SYS_vfork:
      return "vfork";
#endif
    case SYS_execve:
    case SYS_execveat:
      return "execve";
    default:
      return std::nullopt;
  }
}

}  // namespace

Life watch_births(const Spawn& spawn) {
  Traced program(spawn);
  Life life;
  while (program.next_call()) {
    auto made = birth(program);
    if (made == kFork) {
      // A signal makes the kernel start the call again: no child came of the first one.
      if (program.finish_call() > 0) ++life.forks;
    } else if (made) {
      life.births.push_back(*std::move(made));
    }
  }
  life.output = program.output();
  return life;
}

Stop kill_at(const Spawn& spawn, int k) {
  return trace(spawn, k, [](Traced& program) { program.kill(); });
}

Stop pause_at(const Spawn& spawn, int k, const std::function<void()>& work) {
  return trace(spawn, k, [&](Traced& program) {
    work();
    program.let_go();
  });
}

}  // namespace unicni::test
