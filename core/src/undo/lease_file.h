// The file of a lease, which its daemon writes.
#pragma once

#include <optional>
#include <string>

#include "unicni/line.h"

namespace unicni::undo {

/// Its line. nullopt: there is none, it can't be read, or it is damaged.
std::optional<Line> read_lease_file(const std::string& file);
/// Whether something is in its place, be it no lease: a link to nothing, a folder, or a file where
/// the folder of leases was.
bool has_lease_file(const std::string& file) noexcept;

}  // namespace unicni::undo
