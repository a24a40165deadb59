// A child process that outlives the verb, for what only waits: the kernel makes whoever deletes a
// link, or closes a netfilter socket, wait until it has freed what nobody can see any more.
#pragma once

#include <sys/types.h>

#include <span>

namespace unicni::sys {

/// fork(2). In the child (0) all descriptors but `kept` are closed and the working folder is "/",
/// so that it holds no lock, none of the runtime's pipes and no mount; it ends with _exit(2),
/// whatever it meets. -1: no child could be made, do it yourself. Whoever lives on, as tests do,
/// has the children that ended reaped by the next call; those of a plugin go to init, if
/// may_leave_stragglers(), else settle_stragglers() reaps them.
pid_t fork_straggler(std::span<const int> kept) noexcept;

/// Whether it ended; it is reaped then.
bool has_straggler_ended(pid_t child) noexcept;

/// Ends it, at the latest when the kernel is through with what it is at, and reaps it.
void end_straggler(pid_t child) noexcept;

/// Whether children may outlive this process: are_orphans_reaped(), asked once (base/orphan.h).
bool may_leave_stragglers() noexcept;

/// Before the end of the process: waits for all children, unless they may stay; as long as the
/// kernel may need, not for ever.
void settle_stragglers() noexcept;

}  // namespace unicni::sys
