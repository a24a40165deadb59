#include "protocol/comments.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>

#include "unicni/error.h"

namespace unicni::protocol {
namespace {

// Blanks text[begin, end) but for line ends.
void blank(std::string& text, std::size_t begin, std::size_t end) {
  for (std::size_t at = begin; at < end; ++at) {
    if (text[at] != '\n' && text[at] != '\r') text[at] = ' ';
  }
}

std::size_t after_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// `at` is the "/" of "/*".
std::size_t after_block(std::string_view text, std::size_t at) {
  const std::size_t end = text.find("*/", at + 2);
  if (end != std::string_view::npos) return end + 2;
  const auto line =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  throw Error(Code::decode, fmt::format("the comment that begins in line {} doesn't end", line),
              "a comment is // to the end of its line, or /* to */");
}

}  // namespace

std::string without_comments(std::string_view text) {
  std::string bare(text);
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      at = after_string(text, at);
    } else if (text.substr(at, 2) == "//") {
      const std::size_t end = std::min(text.find_first_of("\n\r", at), text.size());
      blank(bare, at, end);
      at = end;
    } else if (text.substr(at, 2) == "/*") {
      const std::size_t end = after_block(text, at);
      blank(bare, at, end);
      at = end;
    } else {
      ++at;
    }
  }
  return bare;
}

}  // namespace unicni::protocol
