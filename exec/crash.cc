#include "crash.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <iterator>

namespace unicni::exec {
namespace {

struct Crash {
  int signal;
  const char* name;
};
constexpr Crash kCrashes[] = {{SIGSEGV, "SIGSEGV"},
                              {SIGBUS, "SIGBUS"},
                              {SIGABRT, "SIGABRT"},
                              {SIGFPE, "SIGFPE"},
                              {SIGILL, "SIGILL"}};
constexpr std::size_t kLongestText = 256;  // bytes of step, verb and version after escaping
constexpr std::size_t kStackSize = 64U << 10U;

constexpr std::string_view kNoContext =
    "{\n    \"code\": 999,\n    \"msg\": \"unicni crashed\",\n    \"details\": \"what was changed "
    "is undone by the next DEL or GC\"\n}";

// Mutable statics, against the house rule: a signal handler gets no argument of ours, may not
// allocate, and needs its stack from before the crash. All are zero at start and without
// constructors.
struct Prepared {
  std::array<char, 2048> text;
  std::size_t size;
};
std::array<Prepared, std::size(kCrashes)> prepared;
std::atomic<bool> context_ready;
std::atomic<bool> result_written;
std::atomic_flag crashing;
alignas(16) std::array<char, kStackSize> stack;

void write_all(const char* text, std::size_t size) {
  while (size > 0) {
    const auto written = ::write(STDOUT_FILENO, text, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text += written;
    size -= static_cast<std::size_t>(written);
  }
}

// Async-signal-safe: write(2), pause(2), _exit(2) and lock-free atomics only; signal-safety(7).
void on_crash(int signal) {
  if (crashing.test_and_set()) {
    for (;;) ::pause();  // another thread is at it and ends the process
  }
  if (!result_written.load()) {
    if (context_ready.load()) {
      for (std::size_t i = 0; i < std::size(kCrashes); ++i) {
        if (kCrashes[i].signal == signal) write_all(prepared[i].text.data(), prepared[i].size);
      }
    } else {
      write_all(kNoContext.data(), kNoContext.size());
    }
  }
  ::_exit(1);
}

/// JSON string content in ASCII; other bytes become '?'. Names of modules, verbs and versions are
/// ASCII anyway.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (out.size() + 6 > kLongestText) break;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += fmt::format("\\u{:04x}", byte);
    } else {
      out += byte < 0x7f ? c : '?';
    }
  }
  return out;
}

}  // namespace

void install_crash_handler() {
  stack_t own{};
  own.ss_sp = stack.data();
  own.ss_size = stack.size();
  ::sigaltstack(&own, nullptr);
  struct sigaction action {};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK;
  ::sigfillset(&action.sa_mask);  // also SIGPIPE: stdout may be closed
  for (const auto& crash : kCrashes) ::sigaction(crash.signal, &action, nullptr);
}

void set_crash_context(std::string_view step, std::string_view verb, std::string_view cni_version) {
  const auto safe_step = escaped(step);
  const auto safe_verb = escaped(verb);
  const auto safe_version = escaped(cni_version);
  context_ready.store(false);
  for (std::size_t i = 0; i < std::size(kCrashes); ++i) {
    auto& slot = prepared[i];
    const auto result = fmt::format_to_n(
        slot.text.data(), slot.text.size(),
        "{{\n    \"cniVersion\": \"{0}\",\n    \"code\": 999,\n    \"msg\": \"{1}: the module "
        "crashed "
        "({2}) during {3}\",\n    \"details\": \"this is a bug in the module {1}; what {3} had "
        "changed is undone by the next DEL or GC\"\n}}",
        safe_version, safe_step, kCrashes[i].name, safe_verb);
    slot.size = std::min(result.size, slot.text.size());
  }
  context_ready.store(true);
}

void mark_result_written() { result_written.store(true); }

}  // namespace unicni::exec
