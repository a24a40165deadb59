// A line of named fields, as journals, leases and daemons have them:
// "<word> key=value … #<crc32>\n". Keys and values are percent-escaped, with '+' for a space, so
// any bytes fit.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicni {

/// Builds a line; key and value are escaped.
class LineWriter {
 public:
  explicit LineWriter(std::string_view word) : text_(word) {}
  LineWriter& add(std::string_view key, std::string_view value);
  /// With checksum and newline; the writer is empty then.
  [[nodiscard]] std::string finish();

 private:
  std::string text_;
};

struct Line {
  std::string word;
  std::vector<std::pair<std::string, std::string>> fields;  ///< unescaped, in the order of the line
  /// nullptr if absent.
  [[nodiscard]] const std::string* find(std::string_view key) const;
  /// Empty if absent.
  [[nodiscard]] std::string get(std::string_view key) const;
};

/// With checksum and newline.
[[nodiscard]] std::string print_line(const Line& line);

/// `text` without its newline; nullopt if the checksum or the form is wrong.
std::optional<Line> parse_line(std::string_view text);

/// Printable ASCII except for '%', '=', '#' and blanks stays; every other byte becomes %XX.
void append_escaped(std::string& to, std::string_view bytes);
/// nullopt: a '%' without two hex digits.
std::optional<std::string> unescape(std::string_view text);

}  // namespace unicni
