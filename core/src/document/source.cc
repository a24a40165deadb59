#include "document/source.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/utf8.h"

namespace unicni::document {
namespace {

constexpr std::size_t kStep = 256;  // bytes

bool is_control(char c) {
  return static_cast<std::uint8_t>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

void step(Position& position, char c) {
  if (c == '\n') {
    ++position.line;
    position.column = 1;
  } else if ((static_cast<std::uint8_t>(c) & 0xC0U) != 0x80U) {  // not inside a character
    ++position.column;
  }
}

}  // namespace

Source::Source(std::string name, std::string_view text) : name_(std::move(name)), text_(text) {
  if (text.size() > kFileLimit) {
    throw refusal(Position{}, fmt::format("a file of {} bytes is too large", text.size()),
                  fmt::format("{} bytes are allowed", kFileLimit));
  }
  Position position;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % kStep == 0) marks_.push_back(position);
    step(position, text[i]);
  }
  constexpr const char* kAllowed =
      "text in UTF-8 without a byte order mark is expected; in strings control characters are "
      "escaped";
  if (text.substr(0, 3) == "\xEF\xBB\xBF") {
    throw refusal(std::size_t{0}, "the file begins with a byte order mark", kAllowed);
  }
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0) {
      throw refusal(
          i, fmt::format("the byte 0x{:02x} is no UTF-8", static_cast<std::uint8_t>(text[i])),
          kAllowed);
    }
    if (is_control(text[i])) {
      throw refusal(i, fmt::format("the control character U+{:04X}", static_cast<int>(text[i])),
                    kAllowed);
    }
    i += length;
  }
}

Position Source::position(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  std::size_t mark = offset / kStep;
  if (mark == marks_.size()) {
    if (mark == 0) return {};
    --mark;
  }
  Position position = marks_[mark];
  for (std::size_t i = mark * kStep; i < offset; ++i) step(position, text_[i]);
  return position;
}

Refusal Source::refusal(Position position, std::string_view msg, std::string details) const {
  return {
      Error(Code::decode, fmt::format("{}: {}", place(name_, position), msg), std::move(details)),
      position};
}

std::string place(std::string_view file, Position position) {
  return fmt::format("{}:{}:{}", file, position.line, position.column);
}

}  // namespace unicni::document
