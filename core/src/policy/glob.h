// Patterns of names: * stands for any text, also none, and ? for one byte; all else for itself.
#pragma once

#include <string_view>

#include "policy/policy.h"

namespace unicni::policy {

/// Takes time in proportion to both lengths at most, whatever the pattern.
bool matches_glob(std::string_view pattern, std::string_view text);
bool matches_any(const Patterns& patterns, std::string_view text);

}  // namespace unicni::policy
