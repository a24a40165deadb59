// Undo record "vrf".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// A VRF in the container's namespace that the attachment uses. Undone by deleting it if it has no
/// ports.
Undo undo_vrf(const std::string& name);

}  // namespace unicni
