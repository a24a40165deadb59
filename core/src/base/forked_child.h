// A child process that is a copy of its parent, does one piece of work, and ends.
#pragma once

#include <sys/types.h>

#include <functional>

namespace unicni::sys {

/// Starts a child by fork(2), in a process of one thread. It does `work` and ends with what that
/// returns as its exit status, by _exit(2): what the parent has registered for its own end doesn't
/// run, and what the parent has buffered isn't written again. An exception out of `work` aborts the
/// child. The child's number; -1 with errno.
pid_t fork_child(const std::function<int()>& work) noexcept;

/// The same with a child that nobody but its maker hears of or reaps: its end sends no signal, so
/// that neither a program that ignores SIGCHLD nor one that waits for any child takes it away. The
/// process may have other threads, so `work` makes system calls and nothing else.
pid_t fork_unheard(const std::function<int()>& work) noexcept;

/// Waits until such a child has ended: its status, as of waitpid(2).
int wait_for_child(pid_t child) noexcept;

}  // namespace unicni::sys
