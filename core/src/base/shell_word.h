// A path or another text as part of a command that a message tells people to type.
#pragma once

#include <string>
#include <string_view>

namespace unicni {

/// `text` as one word of a POSIX shell: as it is where every shell takes it so, else in single
/// quotes. It isn't kept from being an option: that a path doesn't begin with '-' is the caller's.
std::string shell_word(std::string_view text);

}  // namespace unicni
