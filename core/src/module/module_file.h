// What a module's file is called: <module>.so, or <module>.abi<N>.so beside it for the executables
// of one number of the module interface. So an old and a new executable share a folder while one
// replaces the other.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicni::module {

struct ModuleFile {
  std::string module;           ///< its name; the file may lie about it, which loading notices
  std::optional<unsigned> abi;  ///< whose executables alone take it; nullopt: its note decides
};

/// Every module exports a constant whose name begins so (UNICNI_MODULE).
inline constexpr std::string_view kDescriptorPrefix = "unicni_module_";
/// That of a module.
std::string descriptor_symbol(std::string_view module);

/// nullopt: the file isn't called like a module's.
std::optional<ModuleFile> parse_file_name(std::string_view file);

/// The files that this executable asks for, in this order: of its own number (UNICNI_ABI), then the
/// one whose note decides.
std::array<std::string, 2> file_names(std::string_view module);

/// The first of them that there is in `folder`, or that can't be said to be absent: what else is
/// wrong with it, loading it will tell. Its path; nullopt: none.
std::optional<std::string> find_file(const std::string& folder, std::string_view module);

/// The modules of which `folder` has a file that this executable asks for, sorted. Empty if it
/// isn't there; throws Error if it can't be read.
std::vector<std::string> modules_in(const std::string& folder);

}  // namespace unicni::module
