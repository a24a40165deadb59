// JSON Schema from an option table.
#pragma once

#include <string>
#include <string_view>

#include "unicni/options.h"

namespace unicni::option_docs {

/// JSON Schema (draft 2020-12) of one plugin object of type `type`. It accepts what the parser
/// accepts: null for every key that is not required, and unknown keys, which only earn a warning.
std::string json_schema(std::string_view type, const OptionTable& table, bool ipam);

}  // namespace unicni::option_docs
