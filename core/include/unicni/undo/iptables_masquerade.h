// Undo record "iptables-masquerade".
#pragma once

#include <string>

#include "unicni/netfilter/iptables_masquerade.h"
#include "unicni/undo.h"

namespace unicni {

/// What add_iptables_masquerade() makes; undone by remove_reference_masquerade() with these
/// addresses.
Undo undo_iptables_masquerade(const net::IptablesMasquerade& masquerade);

}  // namespace unicni
