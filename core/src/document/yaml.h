// YAML 1.2 into a tree, by yaml-cpp's events. What that library leaves to its caller is done here:
// merge keys, equal keys, a second document or text after the first, aliases inside their own
// anchor, and limits for aliases, depth and size.
#pragma once

#include "document/node.h"
#include "document/source.h"

namespace unicni::document {

/// Throws Refusal for what is no YAML, and for what a configuration has no use for: a key that is
/// no scalar or is missing, a tag other than !!str (or "!", which says the same), more than one
/// document, an empty file.
///
/// Limits of yaml-cpp 0.7 that show: the key of an object in braces and its ":" stand in one line;
/// \ud83d\ude00, the two halves that JSON escapes characters beyond U+FFFF by, are refused (write
/// the character, or \U0001F600).
NodePtr read_yaml(const Source& source);

}  // namespace unicni::document
