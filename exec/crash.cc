#include "crash.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

namespace unicni::exec {
namespace {

struct Crash {
  int signal;
  const char* what;
};
constexpr Crash kCrashes[] = {{SIGSEGV, "crashed (SIGSEGV)"},
                              {SIGBUS, "crashed (SIGBUS)"},
                              {SIGABRT, "crashed (SIGABRT)"},
                              {SIGFPE, "crashed (SIGFPE)"},
                              {SIGILL, "crashed (SIGILL)"}};
constexpr std::size_t kLongestText = 256;  // bytes of step, verb and version after escaping
constexpr std::size_t kLongestAnswer = 2048;
constexpr int kMostDescriptors = 256;  // a verb has about ten
constexpr std::size_t kStackSize = 64U << 10U;

constexpr std::string_view kNoContext =
    "{\n    \"code\": 999,\n    \"msg\": \"unicni crashed\",\n    \"details\": \"what was changed "
    "is undone by the next DEL or GC\"\n}";

// Mutable statics, against the house rule: a signal handler gets no argument of ours, may not
// allocate, and needs its stack from before the crash. All are zero at start and without
// constructors.
struct Text {
  std::array<char, kLongestText> bytes;
  std::size_t size;
  [[nodiscard]] std::string_view view() const { return {bytes.data(), size}; }
};
Text step_name;
Text verb_name;
Text version_name;
std::atomic<bool> context_ready;
std::atomic<bool> result_written;
std::atomic_flag crashing;
pid_t owner;
int answer_fd;
alignas(16) std::array<char, kStackSize> stack;

void write_all(const char* text, std::size_t size) {
  while (size > 0) {
    const auto written = ::write(answer_fd, text, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text += written;
    size -= static_cast<std::size_t>(written);
  }
}

/// Puts the answer together on the handler's stack: most calls don't crash, so nobody prints it
/// before.
void write_answer(std::string_view what) {
  std::array<char, kLongestAnswer> answer;
  std::size_t size = 0;
  const auto add = [&](std::string_view text) {
    const std::size_t length = std::min(text.size(), answer.size() - size);
    std::memcpy(answer.data() + size, text.data(), length);
    size += length;
  };
  const auto step = step_name.view();
  const auto verb = verb_name.view();
  for (const std::string_view piece :
       {std::string_view("{\n    \"cniVersion\": \""), version_name.view(),
        std::string_view("\",\n    \"code\": 999,\n    \"msg\": \""), step,
        std::string_view(": the module "), what, std::string_view(" during "), verb,
        std::string_view("\",\n    \"details\": \"this is a bug in the module "), step,
        std::string_view("; what "), verb,
        std::string_view(" had changed is undone by the next DEL or GC\"\n}")}) {
    add(piece);
  }
  write_all(answer.data(), size);
}

/// What is said if no answer was given: `what` became of the module at work.
void write_last_word(std::string_view what) {
  if (result_written.load()) return;
  if (context_ready.load()) {
    write_answer(what);
  } else {
    write_all(kNoContext.data(), kNoContext.size());
  }
}

/// A child that a module forked has copies of our descriptors, and flock(2) holds as long as one is
/// open: the next verb would wait for that child. A descriptor that survived our own exec is the
/// caller's, as is its lock (flock(1)).
void let_locks_go() {
  for (int fd = STDERR_FILENO + 1; fd < kMostDescriptors; ++fd) {
    const int flags = ::fcntl(fd, F_GETFD);
    if (flags >= 0 && (flags & FD_CLOEXEC) != 0) ::flock(fd, LOCK_UN);
  }
}

// Async-signal-safe: fcntl(2), flock(2), write(2), memcpy(3), pause(2), _exit(2), getpid(2),
// signal(2), raise(3) and lock-free atomics only; signal-safety(7).
void on_crash(int signal) {
  if (::getpid() != owner) {
    // A child that a module forked: its end is no answer to the runtime, but its parent's to hear
    // of. The signal is blocked until this returns.
    ::signal(signal, SIG_DFL);
    ::raise(signal);
    return;
  }
  if (crashing.test_and_set()) {
    for (;;) ::pause();  // another thread is at it and ends the process
  }
  for (const Crash& crash : kCrashes) {
    if (crash.signal == signal) write_last_word(crash.what);
  }
  let_locks_go();
  ::_exit(1);
}

/// The executable itself ends by _exit(2) alone. A module's own children may end as they like.
void on_exit() {
  if (::getpid() != owner) return;
  write_last_word("called exit");
  let_locks_go();
  ::_exit(1);
}

/// JSON string content in ASCII; other bytes become '?'. Names of modules, verbs and versions are
/// ASCII anyway.
void put_escaped(Text& out, std::string_view text) {
  out.size = 0;
  const auto put = [&out](char c) { out.bytes[out.size++] = c; };
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (out.size + 6 > out.bytes.size()) break;
    if (c == '"' || c == '\\') {
      put('\\');
      put(c);
    } else if (byte < 0x20) {
      for (const char each : std::string_view("\\u00")) put(each);
      put(kDigits[byte >> 4U]);
      put(kDigits[byte & 15U]);
    } else {
      put(byte < 0x7f ? c : '?');
    }
  }
}

}  // namespace

void install_crash_handler(int answer) {
  answer_fd = answer;
  stack_t own{};
  own.ss_sp = stack.data();
  own.ss_size = stack.size();
  ::sigaltstack(&own, nullptr);
  struct sigaction action {};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK;
  ::sigfillset(&action.sa_mask);  // also SIGPIPE: stdout may be closed
  for (const auto& crash : kCrashes) ::sigaction(crash.signal, &action, nullptr);
  owner = ::getpid();
  std::atexit(on_exit);
  std::at_quick_exit(on_exit);
}

void set_crash_context(std::string_view step, std::string_view verb, std::string_view cni_version) {
  context_ready.store(false);
  put_escaped(step_name, step);
  put_escaped(verb_name, verb);
  put_escaped(version_name, cni_version);
  context_ready.store(true);
}

void mark_result_written() { result_written.store(true); }

}  // namespace unicni::exec
