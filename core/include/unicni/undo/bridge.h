// Undo record "bridge".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// A bridge that this ADD creates. Undone only on failure and only if it has no ports.
Undo undo_bridge(const std::string& name);

}  // namespace unicni
