// A regular expression in the syntax of Go's regexp, which the reference's allow-list has.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace unicni::tuning {

/// Looked for in a time that is the text's length times the expression's, whatever the two are, and
/// without recursion: the text comes from a configuration.
class Expression {
 public:
  /// Throws Error(invalid_config) that says what is wrong, in Go's words. Unicode classes (\pN) are
  /// not offered; (?i) folds ASCII.
  explicit Expression(std::string_view text);

  /// Whether some part of `text` matches.
  [[nodiscard]] bool is_in(std::string_view text) const;

  using Ranges = std::vector<std::pair<char32_t, char32_t>>;  ///< of code points, both included
  enum class Place : std::uint8_t { text_begin, text_end, line_begin, line_end, word, no_word };

  /// One step of the automaton; steps are known by their index.
  struct Step {
    enum class Kind : std::uint8_t { one_of, fork, place, found } kind = Kind::found;
    Place place{};
    std::uint32_t next = 0;   ///< not of `found`
    std::uint32_t other = 0;  ///< of a fork
    Ranges ranges;            ///< of one_of
  };

 private:
  std::vector<Step> steps_;
  std::uint32_t first_ = 0;
};

}  // namespace unicni::tuning
