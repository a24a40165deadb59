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

namespace unicni::exec {
namespace {

struct Crash {
  int signal;
  std::string_view what;
};
constexpr Crash kCrashes[] = {{SIGSEGV, "crashed (SIGSEGV)"},
                              {SIGBUS, "crashed (SIGBUS)"},
                              {SIGABRT, "crashed (SIGABRT)"},
                              {SIGFPE, "crashed (SIGFPE)"},
                              {SIGILL, "crashed (SIGILL)"}};
constexpr std::size_t kLongestText = 256;   // bytes of step, verb and version after escaping
constexpr std::size_t kLongestPath = 4096;  // bytes of a file's path after escaping
constexpr std::size_t kLongestAnswer = kLongestPath + 2048;
constexpr int kMostDescriptors = 256;  // a verb has about ten
constexpr std::size_t kStackSize = 64U << 10U;

// Mutable statics, against the house rule: a signal handler gets no argument of ours, may not
// allocate, and needs its stack from before the crash. All are zero at start and without
// constructors.
template <std::size_t kLongest>
struct Text {
  std::array<char, kLongest> bytes;
  std::size_t size;
  [[nodiscard]] std::string_view view() const { return {bytes.data(), size}; }
};
Text<kLongestText> step_name;
Text<kLongestText> verb_name;
Text<kLongestText> version_name;
std::atomic<bool> version_ready;
std::atomic<bool> context_ready;
std::atomic<const std::string*> opening;  // the path of the file that dlopen(3) is at work on
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

/// JSON string content in ASCII; other bytes become '?'. Names of modules, verbs and versions are
/// ASCII anyway, and most paths.
template <std::size_t kLongest>
void put_escaped(Text<kLongest>& out, std::string_view text) {
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

/// Puts the answer together on the handler's stack: most calls don't crash, so nobody prints it
/// before.
class LastWord {
 public:
  LastWord() {
    add("{\n");
    if (version_ready.load()) add("    \"cniVersion\": \"", version_name.view(), "\",\n");
    add("    \"code\": 999,\n    \"msg\": \"");
  }
  template <class... Pieces>
  void add(const Pieces&... pieces) {
    (append(pieces), ...);
  }
  void begin_details() { add("\",\n    \"details\": \""); }
  void write() {
    add("\"\n}");
    write_all(text_.data(), size_);
  }

 private:
  void append(std::string_view piece) {
    const std::size_t length = std::min(piece.size(), text_.size() - size_);
    std::memcpy(text_.data() + size_, piece.data(), length);
    size_ += length;
  }

  std::array<char, kLongestAnswer> text_{};
  std::size_t size_ = 0;
};

void blame_step(std::string_view what) {
  const auto step = step_name.view();
  const auto verb = verb_name.view();
  LastWord word;
  word.add(step, ": the module ", what, " during ", verb);
  word.begin_details();
  word.add("this is a bug in the module ", step, "; what ", verb,
           " had changed is undone by the next DEL or GC");
  word.write();
}

/// An exception that a static initialiser throws can't pass dlopen(3), and ends in abort(3).
void blame_file(const std::string& opened, std::string_view what) {
  Text<kLongestPath> path{};
  put_escaped(path, opened);
  LastWord word;
  if (context_ready.load()) word.add(step_name.view(), ": ");
  word.add("a static initialiser of the module ", path.view(), " ", what,
           what.find("SIGABRT") == what.npos ? "" : " or threw an exception",
           " before any call of the module");
  word.begin_details();
  word.add(
      "this is a bug in the module, which has to do without static initialisers, or its file is "
      "damaged");
  if (context_ready.load()) {
    word.add("; what ", verb_name.view(), " had changed is undone by the next DEL or GC");
  }
  word.write();
}

void blame_nobody() {
  LastWord word;
  word.add("unicni crashed");
  word.begin_details();
  word.add("what was changed is undone by the next DEL or GC");
  word.write();
}

/// What is said if no answer was given: `what` became of the module at work.
void write_last_word(std::string_view what) {
  if (result_written.load()) return;
  if (const std::string* opened = opening.load()) {
    blame_file(*opened, what);
  } else if (context_ready.load()) {
    blame_step(what);
  } else {
    blame_nobody();
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

void set_crash_version(std::string_view cni_version) {
  version_ready.store(false);
  put_escaped(version_name, cni_version);
  version_ready.store(true);
}

void set_crash_context(std::string_view step, std::string_view verb, std::string_view cni_version) {
  context_ready.store(false);
  set_crash_version(cni_version);
  put_escaped(step_name, step);
  put_escaped(verb_name, verb);
  context_ready.store(true);
}

CrashInOpening::CrashInOpening(const std::string& path) { opening.store(&path); }
CrashInOpening::~CrashInOpening() { opening.store(nullptr); }

void mark_result_written() { result_written.store(true); }

}  // namespace unicni::exec
