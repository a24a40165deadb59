// Undo record "loopback-route".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// add_loopback_route() on a link of the host that its attachments share. Undone when no port of
/// the host is published over IPv6 any more.
Undo undo_loopback_route(const std::string& link);

}  // namespace unicni
