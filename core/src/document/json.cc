#include "document/json.h"

#include <fmt/core.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "document/builder.h"
#include "protocol/comments.h"
#include "protocol/document.h"

namespace unicni::document {
namespace {

constexpr const char* kAdvice =
    "one JSON value is expected; comments are // to the end of the line, or /* to */";

/// Where the brackets open that are nested too deep. npos: none, as far as the text is JSON.
std::size_t find_too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') in_string = !in_string;
    if (in_string) {
      if (c == '\\') ++at;
    } else if (c == '{' || c == '[') {
      if (++depth > kDepthLimit) return at;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return std::string_view::npos;
}

/// The library's message without its own place: "parse error at line 1, column 5: …".
std::string without_place(const std::string& why) {
  const std::size_t colon = why.find(": ");
  return why.starts_with("parse error at ") && colon != std::string::npos ? why.substr(colon + 2)
                                                                          : why;
}

class Walk {
 public:
  /// `text` is that of `source` without comments, of the same length.
  Walk(const Source& source, std::string_view text)
      : source_(source), text_(text), builder_(source) {}

  NodePtr read() {
    value(protocol::trimmed(text_));
    return builder_.root();
  }

 private:
  [[nodiscard]] Position position(std::string_view part) const {
    return source_.position(static_cast<std::size_t>(part.data() - text_.data()));
  }
  void value(std::string_view value) {
    if (value.front() == '"') {
      builder_.scalar(position(value), Style::text, protocol::unquoted(value));
    } else if (value.front() == '{') {
      builder_.open(position(value), Kind::map);
      for (const protocol::RawMember& member : protocol::split_object(value)) {
        builder_.scalar(position(member.whole), Style::text, member.key);
        this->value(member.value);
      }
      builder_.close();
    } else if (value.front() == '[') {
      builder_.open(position(value), Kind::sequence);
      for (const std::string_view element : protocol::split_array(value)) this->value(element);
      builder_.close();
    } else {
      builder_.scalar(position(value), Style::plain, std::string(value));
    }
  }

  const Source& source_;
  std::string_view text_;
  Builder builder_;
};

}  // namespace

NodePtr read_json(const Source& source) {
  const std::size_t open = protocol::find_open_comment(source.text());
  if (open != std::string_view::npos) {
    throw source.refusal(open, "the comment that begins here doesn't end", kAdvice);
  }
  const std::string bare = protocol::without_comments(source.text());
  const std::size_t deep = find_too_deep(bare);
  const auto fault = protocol::find_fault(bare.substr(0, deep));
  if (deep != std::string_view::npos && (!fault || fault->offset >= deep)) {
    throw source.refusal(deep, fmt::format("nested deeper than {} levels", kDepthLimit),
                         "lists and objects in each other count");
  }
  if (fault) throw source.refusal(fault->offset, without_place(fault->why), kAdvice);
  return Walk(source, bare).read();
}

}  // namespace unicni::document
