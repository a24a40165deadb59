// A configuration as it is written, whichever syntax it is written in: YAML, JSON or JSON with
// comments. Every node knows its place, so that whoever finds it wrong can point at it.
//
// No scalar is taken for a number, a boolean or a string here: `no`, 0x1, 1_000 and 1.0 stay the
// text that they are, and the option table of who reads them decides (document/typed.h).
#pragma once

#include <compare>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace unicni::document {

/// Where something begins. Lines end at "\n"; columns count characters (code points), a tab is one.
/// Both from 1.
struct Position {
  std::size_t line = 1;
  std::size_t column = 1;
  friend auto operator<=>(const Position&, const Position&) = default;
};

enum class Kind : unsigned char { scalar, sequence, map };

/// How a scalar stands in the file.
enum class Style : unsigned char {
  plain,  ///< bare: a number, true, null, or in YAML any text without quotes
  text,   ///< a string for sure: in quotes, a YAML block (| and >), or tagged !!str
};

struct Node;
/// Never null. Nodes don't change once they are made, so an alias of YAML is its anchor's node.
using NodePtr = std::shared_ptr<const Node>;

/// An element of a sequence, or a member of a map.
struct Child {
  std::string key;  ///< "" in a sequence
  Style key_style = Style::text;
  Position key_position;  ///< of the key; in a sequence that of the node
  NodePtr node;
};

struct Node {
  Kind kind = Kind::scalar;
  Style style = Style::plain;   ///< of a scalar
  std::string text;             ///< of a scalar: its characters without quotes and escapes
  Position position;            ///< for what a YAML file leaves empty: the place of its key
  std::vector<Child> children;  ///< in the order of the file; keys differ

  // Of the node with all that is in it, where an alias counts as all that it stands for.
  std::size_t nodes = 1;  ///< itself counts
  std::size_t bytes = 0;  ///< of texts and keys
  std::size_t depth = 0;  ///< of sequences and maps in each other; a scalar has none

  /// A plain scalar that says that there is no value: nothing, ~, null, Null, NULL.
  [[nodiscard]] bool is_null() const;
  /// The value of exactly `key`; nullptr: absent, or this is no map.
  [[nodiscard]] const Child* find(std::string_view key) const;
};

/// Equal in everything: kind, style, text, places and children.
bool operator==(const Node& a, const Node& b);

/// "a list", "an object", or the scalar itself as it is written, cut to a length that suits a
/// message.
std::string shown(const Node& node);

}  // namespace unicni::document
