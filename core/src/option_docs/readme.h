// The option table of a module's README.
#pragma once

#include <string>

#include "unicni/options.h"

namespace unicni::option_docs {

/// The Markdown table of a module's README: name, type, default, meaning, error if wrong.
std::string readme_table(const OptionTable& table, bool ipam);

}  // namespace unicni::option_docs
