// Undo record "file".
#pragma once

#include <string>

#include "unicni/attachments.h"
#include "unicni/undo.h"

namespace unicni {

/// A file with exactly this content (trimmed) or empty. Undone by unlinking it; another content is
/// somebody else's.
Undo undo_file(const std::string& path, const std::string& content);
/// Whether another attachment of the container to the same network has announced the file.
[[nodiscard]] bool is_file_of_sibling(Attachments& attachments, const AttachmentKey& key,
                                      const std::string& path);

}  // namespace unicni
