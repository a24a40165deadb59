// Undo record "veth".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// A veth whose host end is `name` with IFLA_IFALIAS `alias`. Undone by deleting the host end if
/// kind and alias match.
Undo undo_veth(const std::string& name, const std::string& alias);

}  // namespace unicni
