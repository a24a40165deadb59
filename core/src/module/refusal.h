// The three ways in which a module file is refused, each with its own first words.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "unicni/error.h"
#include "unicni/module.h"

namespace unicni::module {

/// "module <path> is absent: no such file", Code::invalid_config.
Error absent(const std::string& path);
/// "module <path> is unusable: <why>", Code::internal; `advice` becomes the details.
Error unusable(const std::string& path, std::string_view why, std::string advice);
/// "module <path> has another ABI: <what>, this unicni takes <expected>", Code::internal.
Error another_abi(const std::string& path, std::string_view what, std::string_view expected,
                  std::string_view module_version);

/// Numbers of the module interface (UNICNI_ABI).
using Abis = std::span<const unsigned>;
/// What the executable takes. An older number stays as long as its modules can be served: Module
/// and Host have only grown since, what they pass around is what it was, and the loader calls
/// nothing of a module that its number doesn't have.
inline constexpr unsigned kAcceptedAbis[] = {UNICNI_ABI};

/// Throw another_abi() unless the number is accepted, and unless the toolchain is ours, where a
/// module may lack fmt. For the note, and again for the loaded descriptor.
void require_abi(const std::string& path, unsigned abi, std::string_view module_version,
                 Abis accepted);
void require_toolchain(const std::string& path, std::string_view toolchain,
                       std::string_view module_version);

}  // namespace unicni::module
