#include "orphan.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <string>

#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::exec {
namespace {

constexpr int kMostAncestors = 64;
constexpr ino_t kFirstPidNamespace = 0xEFFFFFFC;  // PROC_PID_INIT_INO, the same on every machine

template <class Number>
Number number_behind(std::string_view status, std::string_view key, int base) {
  Number number = 0;
  const auto at = status.find(key);
  if (at == status.npos) return number;
  status.remove_prefix(at + key.size());
  std::from_chars(status.data(), status.data() + status.size(), number, base);
  return number;
}

constexpr std::uint64_t bit(int signal) { return std::uint64_t{1} << (signal - 1); }

/// In a PID namespace with the /proc of another one every number there is somebody else's.
bool is_proc_ours() {
  char target[16];
  const ssize_t length = ::readlink("/proc/self", target, sizeof target);
  return length > 0 &&
         std::string_view(target, static_cast<std::size_t>(length)) == std::to_string(::getpid());
}

bool is_first_pid_namespace() {
  struct stat found {};
  return ::stat("/proc/self/ns/pid", &found) == 0 && found.st_ino == kFirstPidNamespace;
}

/// The init of the machine reaps. In a container any program may be number 1, and one that doesn't
/// wait for unknown children collects zombies.
bool does_init_reap() {
  if (is_first_pid_namespace()) return true;
  const auto status = sys::read_file("/proc/1/status");
  if (!status) return false;
  const Waiting init = parse_waiting(*status);
  return init.hears && !init.catches_all;
}

/// An orphan goes to the nearest ancestor that is a subreaper (PR_SET_CHILD_SUBREAPER), which /proc
/// doesn't show. So every one of them must look like one that reaps.
bool do_ancestors_reap() {
  pid_t pid = ::getppid();
  if (pid <= 1 || !is_proc_ours()) return false;
  for (int i = 0; i < kMostAncestors && pid > 1; ++i) {
    const auto status = sys::read_file("/proc/" + std::to_string(pid) + "/status");
    if (!status) return false;
    const Waiting ancestor = parse_waiting(*status);
    if (!ancestor.hears) return false;
    pid = ancestor.catches_all ? 1 : ancestor.parent;
    if (pid == 1) return does_init_reap();
  }
  return false;
}

}  // namespace

Waiting parse_waiting(std::string_view status) {
  const auto set = [&](std::string_view key) {
    return number_behind<std::uint64_t>(status, key, 16);
  };
  const std::uint64_t caught = set("\nSigCgt:\t");
  // Go's scheduler interrupts its threads by SIGURG, and takes every signal that it can have.
  constexpr std::uint64_t kAll = bit(SIGCHLD) | bit(SIGURG) | bit(SIGWINCH) | bit(SIGIO);
  Waiting waiting;
  waiting.parent = number_behind<pid_t>(status, "\nPPid:\t", 10);
  waiting.hears = ((caught | set("\nSigIgn:\t") | set("\nSigBlk:\t")) & bit(SIGCHLD)) != 0;
  waiting.catches_all = (caught & kAll) == kAll;
  return waiting;
}

bool are_orphans_reaped() noexcept {
  try {
    return do_ancestors_reap();
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace unicni::exec
