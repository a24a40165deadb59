// The syntax of an expression, as a tree.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "expression.h"

namespace unicni::tuning {

struct ExpressionNode {
  enum class Kind : std::uint8_t { one_of, place, sequence, choice, repeat } kind = Kind::sequence;
  Expression::Ranges ranges;           ///< of one_of
  Expression::Place place{};           ///< of place
  std::vector<ExpressionNode> parts;   ///< of the others; repeat has one
  std::uint32_t least = 0;             ///< of repeat
  std::uint32_t most = kWithoutLimit;  ///< of repeat
  static constexpr std::uint32_t kWithoutLimit = UINT32_MAX;
};

/// Throws Error(invalid_config).
ExpressionNode parse_expression(std::string_view text);

/// The code points of UTF-8; of what is none, each byte is U+FFFD, as in Go.
std::u32string code_points(std::string_view text);

}  // namespace unicni::tuning
