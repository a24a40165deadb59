// Undo record "flows".
#pragma once

#include <string>

#include "unicni/netfilter/conntrack.h"
#include "unicni/undo.h"

namespace unicni {

/// Connections that go by rules of the attachment. Undone by forgetting them, after its elements.
Undo undo_flows(const net::Flows& flows);

}  // namespace unicni
