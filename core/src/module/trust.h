// Who may provide a module, and who may write settings.
#pragma once

#include <optional>
#include <string>

namespace unicni::module {

/// Throws Error unless the file and every folder above it belong to a trusted owner and can't be
/// written by others (a sticky, root-owned folder that others can write is fine if the next
/// component passes). Trusted: uid 0; in a user namespace other than the first also the owner of
/// `executable`, and there the folders above the executable may have any owner ("/" belongs to
/// nobody that such a namespace knows); who may write counts as ever.
void require_trusted(const std::string& path, const std::string& executable);

/// Whether this is a user namespace other than the machine's first, in which root is somebody else.
bool is_rootless();

/// What is wrong with a path.
struct Distrust {
  std::string why;
  std::string advice;
  bool is_absent = false;
};
/// The same for a file or folder of the administrator's settings (Folders::settings). In a user
/// namespace other than the first the owner of "/", which is the machine's root to whom such a
/// namespace doesn't know, is trusted as well. nullopt: it may be believed.
std::optional<Distrust> distrust_settings(const std::string& path, const std::string& executable);

}  // namespace unicni::module
