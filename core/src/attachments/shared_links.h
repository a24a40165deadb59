// Links of the host that attachments share: bridges.
#pragma once

#include <optional>
#include <string>

#include "unicni/sys/lock.h"

namespace unicni::attachments {

/// Holds the host's shared links still. Who looks one up and then puts a port on it has it shared
/// meanwhile; who looks whether one is idle and then removes it, exclusively. It is flock(2) on the
/// journal's folder: only root gets there, where /proc/<pid>/ns/net would let any user of the host
/// lock everybody out. nullopt: there is no folder, so nobody is in an ADD either. Throws Error at
/// `deadline`.
std::optional<sys::Lock> lock_shared_links(const std::string& folder, sys::LockMode mode,
                                           Deadline deadline);

}  // namespace unicni::attachments
