// A child process that outlives the verb, for what only waits: the kernel makes whoever deletes a
// link, or closes a netfilter socket, wait until it has freed what nobody can see any more.
#pragma once

#include <sys/types.h>

#include <span>

namespace unicni::sys {

/// fork(2). In the child (0) all descriptors but `kept` are closed, so that it holds no lock and
/// none of the runtime's pipes; it ends with _exit(2), whatever it meets. -1: no child
/// could be made, do it yourself. Whoever lives on, as tests do, has the children that ended
/// reaped by the next call; those of a plugin go to init.
pid_t fork_straggler(std::span<const int> kept) noexcept;

/// Whether it ended; it is reaped then.
bool has_straggler_ended(pid_t child) noexcept;

/// Ends it, at the latest when the kernel is through with what it is at, and reaps it.
void end_straggler(pid_t child) noexcept;

}  // namespace unicni::sys
