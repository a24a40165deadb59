#include "app/terminal.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

namespace unicni::app {
namespace {

constexpr std::size_t kNarrowest = 20;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

std::size_t width_in_environment() {
  const char* text = std::getenv("COLUMNS");
  std::size_t columns = 0;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), columns);
  return columns;
}

std::size_t width_of_terminal(int fd) {
  winsize size{};
  if (::isatty(fd) == 0 || ::ioctl(fd, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col;
}

bool wants_colours(int fd) {
  if (::isatty(fd) == 0) return false;
  const char* refusal = std::getenv("NO_COLOR");
  if (refusal != nullptr && *refusal != '\0') return false;
  const char* kind = std::getenv("TERM");
  return kind != nullptr && std::string_view(kind) != "dumb";
}

const char* sequence_of(Tone tone) {
  switch (tone) {
    case Tone::heading:
      return "\x1b[1m";
    case Tone::good:
      return "\x1b[32m";
    case Tone::bad:
      return "\x1b[1;31m";
    case Tone::faint:
      return "\x1b[2m";
    case Tone::plain:
      break;
  }
  return "";
}

/// Bytes of the code point at the beginning of `text`; 0: it is no UTF-8 (RFC 3629).
std::size_t code_point_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if (!is_continuation(text[i])) return 0;
  }
  const unsigned second = byte(1);
  if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F) ||
      (first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return size;
}

/// C0, DEL and C1, which a terminal obeys.
bool is_control(std::string_view code_point) {
  const auto first = static_cast<unsigned char>(code_point[0]);
  if (code_point.size() == 1) return first < 0x20 || first == 0x7F;
  return first == 0xC2 && static_cast<unsigned char>(code_point[1]) < 0xA0;
}

/// Where a line of `width` columns of `text`, which is longer, ends.
std::size_t break_in(std::string_view text, std::size_t width) {
  std::size_t end = 0;  // the byte behind the last column
  for (std::size_t columns = 0; end < text.size(); ++end) {
    if (!is_continuation(text[end]) && ++columns > width) break;
  }
  const std::size_t blank = text.substr(0, end + 1).rfind(' ');
  if (blank != std::string_view::npos && blank > 0) return blank;
  const std::size_t mark = text.substr(0, end).find_last_of("/,");
  return mark != std::string_view::npos && mark > 0 ? mark + 1 : end;
}

}  // namespace

Terminal Terminal::of(int fd) {
  Terminal terminal;
  terminal.columns = width_in_environment();
  if (terminal.columns == 0) terminal.columns = width_of_terminal(fd);
  if (terminal.columns != 0) terminal.columns = std::max(terminal.columns, kNarrowest);
  terminal.has_colours = wants_colours(fd);
  return terminal;
}

std::string Terminal::in_tone(std::string_view text, Tone tone) const {
  if (!has_colours || tone == Tone::plain || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", sequence_of(tone), text);
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = code_point_size(text);
    const std::string_view piece = text.substr(0, std::max<std::size_t>(size, 1));
    if (size != 0 && (!is_control(piece) || piece == "\n")) {
      out += piece;
    } else {
      for (const char c : piece) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    text.remove_prefix(piece.size());
  }
  return out;
}

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  for (;;) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    while (width_of(line) > width) {
      const std::size_t at = break_in(line, width);
      lines.emplace_back(line.substr(0, at));
      line.remove_prefix(at);
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    }
    lines.emplace_back(line);
    if (end == text.size()) return lines;
    text.remove_prefix(end + 1);
  }
}

}  // namespace unicni::app
