// One plugin object of a chain as JSON.
#pragma once

#include <span>
#include <string>

#include "document/chain.h"
#include "document/node.h"
#include "document/typed.h"

namespace unicni::document {

/// The member of `key`: exact spelling first, else the last in another letter case, as the
/// executable reads a plugin's keys. nullptr: absent or null.
const Child* find_field(const Node& map, std::string_view key);

/// Writes `plugin`, which stands at `path`, by the options of its type; findings go to the writer.
std::string plugin_json(TypedWriter& writer, std::span<const TypeOptions> types, const Node& plugin,
                        const std::string& path);

}  // namespace unicni::document
