#include "protocol/name.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace unicni::protocol {
namespace {

constexpr std::size_t kIfNameLimit = 15;  // IFNAMSIZ without its zero

/// Not isalnum(3), which goes by the locale.
bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// White space by Unicode's White_Space property, which Go's unicode.IsSpace follows.
bool is_white_space(std::uint32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

// The character at the front of `text` and its length in bytes; bytes that are no UTF-8 are no
// white space. White space needs three bytes at most, so longer sequences need not be understood.
std::uint32_t next_character(std::string_view text, std::size_t& length) {
  const auto byte = [&](std::size_t i) {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0U;
  };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const std::uint32_t first = byte(0);
  length = 1;
  if (first < 0x80) return first;
  if ((first & 0xE0U) == 0xC0U && follows(1)) {
    const std::uint32_t c = ((first & 0x1FU) << 6U) | (byte(1) & 0x3FU);
    if (c < 0x80) return 0xFFFD;  // overlong
    length = 2;
    return c;
  }
  if ((first & 0xF0U) == 0xE0U && follows(1) && follows(2)) {
    const std::uint32_t c =
        ((first & 0x0FU) << 12U) | ((byte(1) & 0x3FU) << 6U) | (byte(2) & 0x3FU);
    if (c < 0x800) return 0xFFFD;  // overlong
    length = 3;
    return c;
  }
  return 0xFFFD;
}

}  // namespace

/// The expression of the spec and of libcni: ^[a-zA-Z0-9][a-zA-Z0-9_.-]*$
bool valid_name(std::string_view text) {
  if (text.empty() || !alphanumeric(text.front())) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return alphanumeric(c) || c == '_' || c == '.' || c == '-'; });
}

/// libcni's checks in libcni's words. DEL goes no further than these, as older versions may have
/// made such an interface.
std::optional<std::string> refuse_if_name(std::string_view name) {
  if (name.empty()) return "interface name is empty";
  if (name.size() > kIfNameLimit) return "interface name is too long";
  if (name == "." || name == "..") return "interface name is . or ..";
  while (!name.empty()) {
    std::size_t length = 0;
    const std::uint32_t c = next_character(name, length);
    if (c == '/' || c == ':' || is_white_space(c)) {
      return "interface name contains / or : or whitespace characters";
    }
    name.remove_prefix(length);
  }
  return std::nullopt;
}

/// What libcni lets pass and dev_valid_name() in the kernel doesn't, or takes for something else.
std::optional<std::string> refuse_new_if_name(std::string_view name) {
  if (auto why = refuse_if_name(name)) return why;
  if (name.find('\0') != std::string_view::npos) return "interface name contains a NUL byte";
  if (name.find('%') != std::string_view::npos)
    return "interface name contains %, from which the kernel makes another name";
  if (name.find('\xA0') != std::string_view::npos)
    return "interface name contains the byte A0, which the kernel takes for white space";
  return std::nullopt;
}

}  // namespace unicni::protocol
