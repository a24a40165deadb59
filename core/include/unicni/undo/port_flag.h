// Undo record "port-flag".
#pragma once

#include <string>

#include "unicni/net/link.h"
#include "unicni/undo.h"

namespace unicni {

/// A flag that is switched on at a bridge's port of this attachment. Undone by switching it off if
/// the link still has its alias.
Undo undo_port_flag(const net::Link& port, net::PortFlag flag);

}  // namespace unicni
