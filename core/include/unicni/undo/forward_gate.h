// Undo record "forward-gate".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// The gate in FORWARD (netfilter/forward_gate.h). Undone after the elements, if nobody needs it
/// any more.
Undo undo_forward_gate(const std::string& admin_chain);

}  // namespace unicni
