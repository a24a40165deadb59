// The processes of a session.
#pragma once

#include <sys/types.h>

namespace unicni::spawner {

/// Sends a signal to all of them. A session has groups of its own for what a plugin runs in turn:
/// our executable gives each foreign member one. `leader` isn't reaped, so that its number is the
/// session's still. A process that is being born meanwhile may be missed.
void signal_session(pid_t leader, int number) noexcept;

}  // namespace unicni::spawner
