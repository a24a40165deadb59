// Base64 (RFC 4648, section 4): how Go's JSON has bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace unicni::protocol {

/// With padding.
std::string encode_base64(std::string_view bytes);
/// nullopt: not the standard alphabet, or not padded to whole groups. CR and LF are passed over, as
/// Go does.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace unicni::protocol
