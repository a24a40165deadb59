// Undo record "sysctl".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// A sysctl in the container's namespace (net/sysctl.h). Undone by writing `value`, the old one.
Undo undo_sysctl(const std::string& key, const std::string& value);

}  // namespace unicni
