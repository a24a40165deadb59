// What records have in common that are about objects which attachments share.
#pragma once

#include <optional>
#include <string>

#include "undo/found_link.h"
#include "unicni/sys/lock.h"

namespace unicni::undo {

/// No ADD is between making something that attachments share and using it. Waits 5 s at most.
std::optional<sys::Lock> hold_shared_objects(HostKernel& host);

/// A bridge without ports; others if it is none, or has ports.
FoundLink look_at_idle_bridge(net::Netlink& links, const std::string& name);

}  // namespace unicni::undo
