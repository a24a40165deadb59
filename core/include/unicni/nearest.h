// The known key that was probably meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace unicni::options {

/// The known key nearest to `key` (Damerau-Levenshtein, case folded), or "" if none is near enough
/// to be meant.
std::string nearest_key(std::string_view key, const std::vector<std::string_view>& known);

}  // namespace unicni::options
