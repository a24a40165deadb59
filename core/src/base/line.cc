// Lines of fields: "word key=value … #checksum". Any byte can be in a value; special ones are
// escaped, so a line feed always ends a line.
#include "unicni/line.h"

#include <fmt/core.h>

#include <array>
#include <cstdint>

namespace unicni {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";
constexpr std::size_t kChecksumSize = 8;  // hex digits

/// CRC-32 of IEEE 802.3, reflected.
/// At compile time: start-up has no static constructors.
constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1U ^ (value & 1U ? 0xedb88320U : 0U);
    table[i] = value;
  }
  return table;
}

constexpr auto kCrcTable = make_crc_table();

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) {
    crc = kCrcTable[(crc ^ static_cast<std::uint8_t>(c)) & 0xffU] ^ crc >> 8U;
  }
  return ~crc;
}

/// What stands for itself. The rest is two hex digits behind '%', but a space is '+': the results
/// that are journaled are full of them.
constexpr std::array<bool, 256> make_plain_table() {
  std::array<bool, 256> table{};
  for (unsigned c = ' ' + 1; c < '\x7f'; ++c) table[c] = true;
  for (const char c : {'%', '=', '#', '+'}) table[static_cast<unsigned char>(c)] = false;
  return table;
}

constexpr auto kPlain = make_plain_table();

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void append_escaped(std::string& to, std::string_view bytes) {
  constexpr std::size_t kLongest = 3;
  const std::size_t before = to.size();
  to.resize(before + kLongest * bytes.size());
  char* out = to.data() + before;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    if (kPlain[byte] || c == ' ') {
      *out++ = c == ' ' ? '+' : c;
    } else {
      *out++ = '%';
      *out++ = kHex[byte >> 4U];
      *out++ = kHex[byte & 0xfU];
    }
  }
  to.resize(static_cast<std::size_t>(out - to.data()));
}

std::optional<std::string> unescape(std::string_view text) {
  // The escaped text is never shorter.
  std::string bytes(text.size(), '\0');
  char* out = bytes.data();
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c != '%') {
      *out++ = c == '+' ? ' ' : c;
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    *out++ = static_cast<char>(high * 16 + low);
    i += 2;
  }
  bytes.resize(static_cast<std::size_t>(out - bytes.data()));
  return bytes;
}

LineWriter& LineWriter::add(std::string_view key, std::string_view value) {
  text_ += ' ';
  append_escaped(text_, key);
  text_ += '=';
  append_escaped(text_, value);
  return *this;
}

/// The checksum tells a whole line from one whose blocks were written in part before a power cut
/// (only where the folder isn't a tmpfs).
std::string LineWriter::finish() {
  text_ += fmt::format(" #{:08x}\n", crc32(text_));
  return std::move(text_);
}

std::string print_line(const Line& line) {
  LineWriter writer(line.word);
  for (const auto& [key, value] : line.fields) writer.add(key, value);
  return writer.finish();
}

const std::string* Line::find(std::string_view key) const {
  for (const auto& [name, value] : fields) {
    if (name == key) return &value;
  }
  return nullptr;
}

std::string Line::get(std::string_view key) const {
  const std::string* value = find(key);
  return value == nullptr ? std::string() : *value;
}

/// The sum is checked before anything else is believed.
std::optional<Line> parse_line(std::string_view text) {
  const std::size_t mark = text.rfind(" #");
  if (mark == text.npos || text.size() != mark + 2 + kChecksumSize) return std::nullopt;
  const std::string_view body = text.substr(0, mark);
  if (text.substr(mark + 2) != fmt::format("{:08x}", crc32(body))) return std::nullopt;
  Line line;
  std::size_t at = body.find(' ');
  line.word = body.substr(0, at);
  while (at != body.npos) {
    const std::size_t end = body.find(' ', at + 1);
    const std::string_view field = body.substr(at + 1, end == body.npos ? body.npos : end - at - 1);
    const std::size_t equals = field.find('=');
    if (equals == field.npos) return std::nullopt;
    auto key = unescape(field.substr(0, equals));
    auto value = unescape(field.substr(equals + 1));
    if (!key || !value) return std::nullopt;
    line.fields.emplace_back(std::move(*key), std::move(*value));
    at = end;
  }
  return line;
}

}  // namespace unicni
