// The file of a lease, which its daemon writes.
#pragma once

#include <optional>
#include <string>

#include "unicni/line.h"

namespace unicni::undo {

/// Its line. nullopt: there is none, it can't be read, or it is damaged.
std::optional<Line> read_lease_file(const std::string& file);

}  // namespace unicni::undo
