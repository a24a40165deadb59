// A file of ours, whatever it is written in.
#pragma once

#include <string>
#include <string_view>

#include "document/node.h"

namespace unicni::document {

/// What plain scalars are: JSON knows, YAML leaves it to who reads them.
enum class Syntax : unsigned char { json, yaml };

struct Document {
  std::string file;  ///< for messages
  Syntax syntax = Syntax::json;
  NodePtr root;
};

/// JSON, JSON with comments or YAML; `file` is its name for messages. JSON is tried first if the
/// text begins as JSON does (a bracket, or a comment of it): almost all of it is YAML as well, but
/// as JSON its numbers are numbers. If neither can be read, the error is that of who came further.
/// Throws Error(decode), which begins with file:line:column.
Document read(std::string_view text, const std::string& file);
/// The same for a file that is JSON and nothing else, such as a .conflist.
Document read_json_only(std::string_view text, const std::string& file);

}  // namespace unicni::document
