// Undo record "host-link".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// A link of `kind` on the host that is this attachment's alone, such as an ifb. Undone by deleting
/// it if kind and IFLA_IFALIAS match.
Undo undo_host_link(const std::string& name, const std::string& kind, const std::string& alias);

}  // namespace unicni
