// Starting a daemon from a verb, which may be one of many of a program that mustn't notice.
#pragma once

#include <string>

#include "unicni/daemon.h"
#include "unicni/sys/fd.h"

namespace unicni::daemon {

/// A connection to the daemon, which is started if nobody listens; others who want the same wait.
/// The daemon is init's child, in a session of its own, with no descriptors of ours but its socket,
/// and a clean environment: whoever waits for our pipes or children doesn't wait for it. Throws
/// Error.
sys::Fd start(const DaemonPlace& place, Deadline deadline);

/// What an administrator types for it.
std::string command_of(const DaemonPlace& place);

}  // namespace unicni::daemon
