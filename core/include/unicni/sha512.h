// SHA-512 (FIPS 180-4): what the reference plugins make names of.
#pragma once

#include <string>
#include <string_view>

namespace unicni {

/// The digest as 128 lower-case hexadecimal digits. For names, not for secrets.
std::string sha512_hex(std::string_view text);

}  // namespace unicni
