// JSON, and JSON with comments, into a tree: by protocol's reader, which takes what the executable
// takes.
#pragma once

#include "document/node.h"
#include "document/source.h"

namespace unicni::document {

/// Throws Refusal for what is no JSON (RFC 8259) after its comments, nests too deep, has too many
/// values, or an object with two equal keys, of which the executable would silently take the last.
NodePtr read_json(const Source& source);

}  // namespace unicni::document
