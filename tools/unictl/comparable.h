// JSON values as they are compared, whatever way they are written.
#pragma once

#include <string>
#include <string_view>

namespace unicni::unictl {

/// A text that two values have in common if they say the same: keys in sorted order and without
/// those that are null, which counts as absent; of equal keys the last; numbers by their value
/// (1500 is 1.5e3), however large; strings by what they say. `json` is text that was parsed before.
std::string comparable(std::string_view json);

}  // namespace unicni::unictl
