#include "line_fields.h"

namespace unicni::dhcp {

namespace {

constexpr std::string_view kForEver = "never";
constexpr char kHex[] = "0123456789abcdef";

}  // namespace

std::string to_hex(View bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kHex[byte >> 4U];
    text += kHex[byte & 0xfU];
  }
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    std::uint8_t byte = 0;
    const auto read = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
    if (read.ec != std::errc() || read.ptr != text.data() + i + 2) return std::nullopt;
    bytes.push_back(byte);
  }
  return bytes;
}

std::string text_of(Instant instant) {
  return instant == kNever ? std::string(kForEver) : std::to_string(instant.count());
}

std::optional<Instant> instant_of(const std::string& text) {
  if (text == kForEver) return kNever;
  const auto number = number_of<std::int64_t>(text);
  return number ? std::optional(Instant(*number)) : std::nullopt;
}

}  // namespace unicni::dhcp
