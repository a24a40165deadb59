// The last word of a process that dies in a module: an error for the caller instead of silence.
#pragma once

#include <string>
#include <string_view>

namespace unicni::exec {

/// Handlers for exit(3) and quick_exit(3), and on a stack of their own for SIGSEGV, SIGBUS,
/// SIGABRT, SIGFPE and SIGILL. They write an error with what set_crash_context() said to the
/// descriptor `answer`, unless mark_result_written() was called, let locks of flock(2) go, and
/// _exit(1). Children that a module forks end as if there were none. What the verb had changed is
/// undone by the next DEL or GC, from the journal. Only for a program: never call it from a
/// library.
void install_crash_handler(int answer);

/// The cniVersion of the error, until set_crash_context() says another. Copies it.
void set_crash_version(std::string_view cni_version);

/// What the error will name. Call it before each step; `step` is the module's name, `verb` "ADD",
/// `cni_version` that of the configuration. Copies its arguments; texts are cut at a few hundred
/// bytes.
void set_crash_context(std::string_view step, std::string_view verb, std::string_view cni_version);

/// While it lives, a crash is one of a file that is being opened, and so of its static
/// initialisers.
class CrashInOpening {
 public:
  /// `path` outlives this.
  explicit CrashInOpening(const std::string& path);
  CrashInOpening(const CrashInOpening&) = delete;
  CrashInOpening& operator=(const CrashInOpening&) = delete;
  ~CrashInOpening();
};

/// The answer is on its way to the caller: a crash from now on adds nothing to it. Call it right
/// before the write.
void mark_result_written();

}  // namespace unicni::exec
