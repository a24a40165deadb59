// Makes the tree out of what a reader of one syntax finds, in the order of the file, and holds it
// to what holds for all: limits, keys that differ, merge keys.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document/node.h"
#include "document/source.h"

namespace unicni::document {

/// Each function throws Refusal for what exceeds a limit or can't stand here.
class Builder {
 public:
  explicit Builder(const Source& source) : source_(source) {}

  /// A scalar. In a map scalars are key and value in turn. `at` of a scalar that the file leaves
  /// empty is nullopt.
  NodePtr scalar(std::optional<Position> at, Style style, std::string text);
  /// A sequence or map begins, or ends. The keys of maps that a YAML merge key "<<" (plain) names
  /// are members as if they stood in its place, unless the map has them itself; of several maps the
  /// first that has a key counts. Equal keys are refused, naming both places.
  void open(Position at, Kind kind);
  NodePtr close();
  /// What an alias at `at` stands for; it is a whole node.
  void alias(Position at, const NodePtr& node);

  [[nodiscard]] bool in_sequence() const {
    return !open_.empty() && open_.back().node.kind == Kind::sequence;
  }
  [[nodiscard]] bool expects_key() const {
    return !open_.empty() && open_.back().node.kind == Kind::map && !open_.back().key;
  }
  /// Where in the document the next node will be, as in plugins[1].ipam; "" for all of it.
  [[nodiscard]] std::string path() const;
  /// The outermost node; nullptr: there was none, or it is still open.
  [[nodiscard]] NodePtr root() const { return root_; }

 private:
  struct Key {
    std::string text;
    Style style;
    Position position;
  };
  struct Frame {
    Node node;
    std::optional<Key> key;  // whose value comes next
    bool merges = false;
  };
  [[nodiscard]] Position here(const std::optional<Position>& at) const;
  [[nodiscard]] Refusal refusal(Position at, std::string_view msg, std::string details) const;
  void count(Position at, std::size_t nodes, std::size_t bytes);
  NodePtr place(Node&& node);
  void place(NodePtr node, Position at);
  void take_key(const Node& node, Position at);
  void merge(Node& map) const;
  [[nodiscard]] std::vector<NodePtr> merged_by(const Child& key) const;
  void refuse_equal_keys(const Node& map) const;

  const Source& source_;
  std::vector<Frame> open_;
  NodePtr root_;
  std::size_t nodes_ = 0;
  std::size_t bytes_ = 0;
};

/// A key behind the path of the object that has it: "ipam" and "type" are ipam.type.
std::string path_to(std::string_view path, std::string_view key);
std::string path_to(std::string_view path, std::size_t index);

}  // namespace unicni::document
