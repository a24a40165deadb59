// Where the dynamic loader finds a library, ld.so(8), without asking it to map one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace unicni::module {

/// Folders between colons, as of DT_RUNPATH, with that of the file `path`, which has them, for
/// $ORIGIN.
std::string expand_origin(std::string folders, std::string_view path);

/// Whether a DT_NEEDED is a path from the working folder, which is a runtime's, and anybody's: that
/// is where ld.so(8) looks for it. With $ORIGIN, expanded before, it isn't.
bool is_relative_path(std::string_view needed);

/// Values of /etc/ld.so.cache's text for a name, in its order: paths, of whatever machine.
/// Damaged: as far as it makes sense.
std::vector<std::string> find_in_cache(std::string_view cache, std::string_view name);

/// The file for DT_NEEDED `name`: in `folders`, by the cache, in the loader's default folders and
/// those of LD_LIBRARY_PATH. It is an ELF file of this machine. nullopt: none, or a name with a
/// relative path.
std::optional<std::string> find_library(std::string_view name, std::string_view folders);

}  // namespace unicni::module
