// The three ways in which a module file is refused, each with its own first words.
#pragma once

#include <string>
#include <string_view>

#include "unicni/error.h"

namespace unicni::module {

/// "module <path> is absent: no such file", Code::invalid_config.
Error absent(const std::string& path);
/// "module <path> is unusable: <why>", Code::internal; `advice` becomes the details.
Error unusable(const std::string& path, std::string_view why, std::string advice);
/// "module <path> has another ABI: its <what> is <found>, this unicni takes <expected>",
/// Code::internal.
Error mismatch(const std::string& path, std::string_view what, std::string_view found,
               std::string_view expected, std::string_view module_version);

/// The ABI numbers that this program takes, as text: "1" or "1, 2".
std::string accepted_abis();
/// Throws mismatch() unless number and toolchain are ours. For the note, and again for the loaded
/// descriptor.
void require_abi(const std::string& path, unsigned abi, std::string_view toolchain,
                 std::string_view module_version);

}  // namespace unicni::module
