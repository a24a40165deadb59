#include "document/document.h"

#include "document/json.h"
#include "document/source.h"
#include "document/yaml.h"
#include "protocol/document.h"

namespace unicni::document {
namespace {

bool begins_with_comment(std::string_view text) {
  const std::string_view bare = protocol::trimmed(text);
  return bare.starts_with("//") || bare.starts_with("/*");
}

bool begins_with_bracket(std::string_view text) {
  const std::string_view bare = protocol::trimmed(text);
  return bare.starts_with('{') || bare.starts_with('[');
}

}  // namespace

Document read_json_only(std::string_view text, const std::string& file) {
  return {file, Syntax::json, read_json(Source(file, text))};
}

Document read(std::string_view text, const std::string& file) {
  if (begins_with_comment(text)) return read_json_only(text, file);
  const Source source(file, text);
  if (!begins_with_bracket(text)) return {file, Syntax::yaml, read_yaml(source)};
  try {
    return {file, Syntax::json, read_json(source)};
  } catch (const Refusal& as_json) {
    try {
      return {file, Syntax::yaml, read_yaml(source)};
    } catch (const Refusal& as_yaml) {
      if (as_json.position() < as_yaml.position()) throw;
      throw as_json;
    }
  }
}

}  // namespace unicni::document
