// Undo record "device".
#pragma once

#include <string>

#include "unicni/net/device.h"
#include "unicni/undo.h"

namespace unicni {

/// A link of the host that is given to the container. Undone by bringing it home, wherever it is by
/// then: in the container's namespace, or given back by the kernel when that ended. Announced again
/// as soon as its index inside is known: of the records of one device only the last counts.
Undo undo_device(const net::Device& device);

}  // namespace unicni
