// The named text fields of an undo record.
#pragma once

#include <string>
#include <string_view>

#include "unicni/undo.h"

namespace unicni::journal {

/// Throws Error if it isn't there.
const std::string& field(const Undo& record, std::string_view key);
/// Empty if it isn't there: fields that came later.
std::string_view optional_field(const Undo& record, std::string_view key);

}  // namespace unicni::journal
