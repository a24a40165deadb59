// Undo record "sysctl".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// A sysctl in the container's namespace (net/sysctl.h). Undone by writing `value`, the old one.
Undo undo_sysctl(const std::string& key, const std::string& value);
/// ADD makes it `set`, which it may be already: another attachment of the container may have done
/// so, and end first. `set` stays while this one lives, and core finds what comes back.
Undo undo_sysctl(const std::string& key, const std::string& value, const std::string& set);

}  // namespace unicni
