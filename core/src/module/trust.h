// Who may provide a module.
#pragma once

#include <string>

namespace unicni::module {

/// Throws Error unless the file and every folder above it belong to a trusted owner and can't be
/// written by others (a sticky, root-owned folder that others can write is fine if the next
/// component passes). Trusted: uid 0; in a user namespace other than the first also the owner of
/// `executable`, and there the folders above the executable may have any owner ("/" belongs to
/// nobody that such a namespace knows); who may write counts as ever.
void require_trusted(const std::string& path, const std::string& executable);

}  // namespace unicni::module
