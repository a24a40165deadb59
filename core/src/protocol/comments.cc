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

// `at` is the "/" of "/*"; npos: it doesn't end.
std::size_t after_block(std::string_view text, std::size_t at) {
  const std::size_t end = text.find("*/", at + 2);
  return end == std::string_view::npos ? end : end + 2;
}

/// Calls `found` with the begin and the end of each comment. Returns where the comment begins that
/// has no end, or npos.
template <class Found>
std::size_t each_comment(std::string_view text, const Found& found) {
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (text[at] == '"') {
      end = after_string(text, at);
    } else if (text.substr(at, 2) == "//") {
      end = std::min(text.find_first_of("\n\r", at), text.size());
      found(at, end);
    } else if (text.substr(at, 2) == "/*") {
      end = after_block(text, at);
      if (end == std::string_view::npos) return at;
      found(at, end);
    }
    at = end;
  }
  return std::string_view::npos;
}

}  // namespace

std::string without_comments(std::string_view text) {
  std::string bare(text);
  const std::size_t open =
      each_comment(text, [&](std::size_t begin, std::size_t end) { blank(bare, begin, end); });
  if (open == std::string_view::npos) return bare;
  const auto line =
      1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(open), '\n');
  throw Error(Code::decode, fmt::format("the comment that begins in line {} doesn't end", line),
              "a comment is // to the end of its line, or /* to */");
}

std::size_t find_open_comment(std::string_view text) {
  return each_comment(text, [](std::size_t, std::size_t) {});
}

}  // namespace unicni::protocol
