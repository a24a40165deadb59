// Undo record "vrf-port".
#pragma once

#include <string>

#include "unicni/net/link.h"
#include "unicni/undo.h"

namespace unicni {

/// A link in the container that becomes a port of VRF `vrf`. Undone by releasing it if it still is
/// one.
Undo undo_vrf_port(const net::Link& link, const std::string& vrf);

}  // namespace unicni
