// Undo record "container-link".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// A link of `kind` that this ADD makes in the container's namespace, under a name that is free
/// there. Undone by deleting it if the namespace is the same one and the kind matches.
Undo undo_container_link(const std::string& name, const std::string& kind);

}  // namespace unicni
