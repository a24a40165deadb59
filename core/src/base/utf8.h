// Whether bytes are text that JSON and YAML can hold.
#pragma once

#include <cstddef>
#include <string_view>

namespace unicni {

/// Bytes of the UTF-8 sequence at the front of `text`, or 0 if there is none: RFC 3629, without
/// overlong forms and surrogates.
std::size_t utf8_length(std::string_view text);

/// Of the whole text.
bool is_utf8(std::string_view text);

}  // namespace unicni
