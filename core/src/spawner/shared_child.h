// A child process that is started without a copy of its parent: clone(2) as vfork(2), on a stack of
// its own. Its price doesn't grow with the parent's memory.
#pragma once

#include <sys/types.h>

#include <cstddef>

// What runs in such a child may not be watched by sanitizers: they would take its memory, which is
// the parent's, for that of a thread that never returns.
#if defined(__clang__)
#define UNICNI_IN_SHARED_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))
#else
#define UNICNI_IN_SHARED_CHILD \
  __attribute__((no_sanitize_address, no_sanitize_thread, no_sanitize_undefined))
#endif

namespace unicni::spawner {

/// Room for a child that makes system calls and nothing else.
class ChildStack {
 public:
  ChildStack();  ///< throws Error
  ChildStack(const ChildStack&) = delete;
  ChildStack& operator=(const ChildStack&) = delete;
  ~ChildStack();
  [[nodiscard]] void* top() const noexcept { return static_cast<char*>(memory_) + kSize; }

 private:
  static constexpr std::size_t kSize = 64UL * 1024;
  void* memory_;
};

/// Runs `work` in a child that has a copy of this process's descriptors and shares its memory. This
/// thread waits until the child has executed a program or ended, other threads go on: `work` calls
/// the kernel alone (syscall(2)), takes no lock, and never returns but by _exit(2). All signals
/// must be blocked, as a handler would run on the parent's memory.
/// `exit_signal`: 0 for a child that neither SIGCHLD nor waitpid(-1) tells of, until it executes a
/// program. Its number, or -1 with errno.
pid_t start_shared_child(int (*work)(void*), const ChildStack& stack, void* argument,
                         int exit_signal) noexcept;

}  // namespace unicni::spawner
