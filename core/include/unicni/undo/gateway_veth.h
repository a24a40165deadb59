// Undo record "gateway-veth".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// A veth between a shared bridge and an interface `name` of the host, the gateway of a VLAN.
/// Undone only on failure and only if no other port is on `bridge`.
Undo undo_gateway_veth(const std::string& name, const std::string& bridge);

}  // namespace unicni
