// What text is written for: a person's terminal, or a file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace unicni::app {

enum class Tone : unsigned char { plain, heading, good, bad, faint };

struct Terminal {
  std::size_t columns = 0;  ///< 0: lines may have any length
  bool has_colours = false;

  /// What is behind the descriptor. Colours only on a terminal that isn't "dumb" and without
  /// NO_COLOR (https://no-color.org: set and not empty). COLUMNS goes before what the terminal
  /// says of its width; a file has none without it.
  static Terminal of(int fd);
  /// `text` with the escape sequences of a tone, if this has colours.
  [[nodiscard]] std::string in_tone(std::string_view text, Tone tone) const;
};

/// `text` as it may be written to a terminal: control characters and what isn't UTF-8 as \x1b, so
/// that a name from a file can't move the cursor.
std::string printable(std::string_view text);
/// Columns that a printable text takes: code points, as all of ours are of one column.
std::size_t width_of(std::string_view text);
/// Lines of at most `width` columns, broken at blanks, else behind '/' or ',', else anywhere. At
/// least one line. The text's own line breaks stay.
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

}  // namespace unicni::app
