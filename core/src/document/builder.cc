#include "document/builder.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "options/describe.h"

namespace unicni::document {
namespace {

constexpr std::string_view kMergeKey = "<<";

bool is_merge_key(const Child& child) {
  return child.key_style == Style::plain && child.key == kMergeKey;
}

}  // namespace

NodePtr Builder::scalar(std::optional<Position> at, Style style, std::string text) {
  Node node;
  node.style = style;
  node.position = here(at);
  node.bytes = text.size();
  node.text = std::move(text);
  count(node.position, 1, node.bytes);
  return place(std::move(node));
}

void Builder::open(Position at, Kind kind) {
  Frame frame;
  frame.node.kind = kind;
  frame.node.position = at;
  if (expects_key()) take_key(frame.node, at);
  if (open_.size() == kDepthLimit) {
    throw refusal(at, fmt::format("nested deeper than {} levels", kDepthLimit),
                  "lists and objects in each other count");
  }
  count(at, 1, 0);
  open_.push_back(std::move(frame));
}

NodePtr Builder::close() {
  Frame frame = std::move(open_.back());
  Node& node = frame.node;
  if (node.kind == Kind::map) refuse_equal_keys(node);
  if (frame.merges) merge(node);
  for (const Child& child : node.children) {
    node.nodes += child.node->nodes;
    node.bytes += child.key.size() + child.node->bytes;
    node.depth = std::max(node.depth, child.node->depth);
  }
  ++node.depth;
  open_.pop_back();
  return place(std::move(node));
}

void Builder::alias(Position at, const NodePtr& node) {
  if (open_.size() + node->depth > kDepthLimit) {
    throw refusal(at, fmt::format("nested deeper than {} levels", kDepthLimit),
                  "an alias counts as what it stands for");
  }
  count(at, node->nodes, node->bytes);
  place(node, at);
}

std::string Builder::path() const {
  std::string path;
  for (const Frame& frame : open_) {
    if (frame.node.kind == Kind::sequence) {
      path = path_to(path, frame.node.children.size());
    } else if (frame.key) {
      path = path_to(path, frame.key->text);
    }
  }
  return path;
}

/// The YAML library places what is left empty at whatever comes next; nobody looks there.
Position Builder::here(const std::optional<Position>& at) const {
  if (at) return *at;
  if (open_.empty()) return {};
  return open_.back().key ? open_.back().key->position : open_.back().node.position;
}

Refusal Builder::refusal(Position at, std::string_view msg, std::string details) const {
  const std::string where = path();
  return source_.refusal(at, where.empty() ? std::string(msg) : fmt::format("{}: {}", where, msg),
                         std::move(details));
}

void Builder::count(Position at, std::size_t nodes, std::size_t bytes) {
  nodes_ += nodes;
  bytes_ += bytes;
  if (nodes_ > kNodeLimit) {
    throw refusal(at, fmt::format("more than {} values", kNodeLimit),
                  "an alias counts as all the values that it stands for");
  }
  if (bytes_ > kTextLimit) {
    throw refusal(at, fmt::format("more than {} bytes of text", kTextLimit),
                  "an alias counts as all the text that it stands for");
  }
}

NodePtr Builder::place(Node&& node) {
  const Position at = node.position;
  auto made = std::make_shared<const Node>(std::move(node));
  place(made, at);
  return made;
}

void Builder::place(NodePtr node, Position at) {
  if (open_.empty()) {
    root_ = std::move(node);
    return;
  }
  Frame& frame = open_.back();
  if (frame.node.kind == Kind::sequence) {
    frame.node.children.push_back({{}, Style::text, at, std::move(node)});
  } else if (!frame.key) {
    take_key(*node, at);
  } else {
    Key key = *std::exchange(frame.key, std::nullopt);
    Child child{std::move(key.text), key.style, key.position, std::move(node)};
    frame.merges = frame.merges || is_merge_key(child);
    frame.node.children.push_back(std::move(child));
  }
}

void Builder::take_key(const Node& node, Position at) {
  if (node.kind != Kind::scalar) {
    throw refusal(at, fmt::format("a key is {}", shown(node)),
                  "a key is a text; perhaps a { or [ before it isn't closed");
  }
  if (node.text.empty() && node.style == Style::plain) {
    throw refusal(at, "a key is missing",
                  "before \":\" a key is expected, and between commas a value");
  }
  open_.back().key = Key{node.text, node.style, at};
}

/// "<<" in quotes is a key like any other, and may stand beside the merge key.
void Builder::refuse_equal_keys(const Node& map) const {
  std::unordered_map<std::string_view, const Child*> seen;
  const Child* merge_key = nullptr;
  for (const Child& child : map.children) {
    const Child* first = merge_key;
    if (is_merge_key(child)) {
      merge_key = &child;
    } else {
      const auto [place, is_new] = seen.emplace(child.key, &child);
      first = is_new ? nullptr : place->second;
    }
    if (first == nullptr) continue;
    throw refusal(child.key_position,
                  fmt::format("the key {} stands twice", options::shown_text(child.key)),
                  fmt::format("it stands at {} already; keep one of them",
                              document::place(source_.name(), first->key_position)));
  }
}

std::vector<NodePtr> Builder::merged_by(const Child& key) const {
  std::vector<NodePtr> maps;
  if (key.node->kind == Kind::sequence) {
    for (const Child& element : key.node->children) maps.push_back(element.node);
  } else {
    maps.push_back(key.node);
  }
  for (const NodePtr& map : maps) {
    if (map->kind == Kind::map) continue;
    throw refusal(
        key.key_position, fmt::format("the merge key << names {}", shown(*map)),
        "an object or a list of objects is expected, mostly aliases; a key that is called "
        "<< stands in quotes");
  }
  return maps;
}

void Builder::merge(Node& map) const {
  std::unordered_set<std::string_view> taken;
  for (const Child& child : map.children) {
    if (!is_merge_key(child)) taken.insert(child.key);
  }
  std::vector<Child> members;
  for (const Child& child : map.children) {
    if (!is_merge_key(child)) {
      members.push_back(child);
      continue;
    }
    for (const NodePtr& from : merged_by(child)) {
      for (const Child& member : from->children) {
        if (taken.insert(member.key).second) members.push_back(member);
      }
    }
  }
  map.children = std::move(members);
}

std::string path_to(std::string_view path, std::string_view key) {
  // What would garble a message, or a terminal, is escaped.
  const std::string quoted = options::shown_text(key);
  const bool is_clean = !key.empty() && quoted.size() == key.size() + 2;
  return fmt::format("{}{}{}", path, path.empty() ? "" : ".", is_clean ? key : quoted);
}

std::string path_to(std::string_view path, std::size_t index) {
  return fmt::format("{}[{}]", path, index);
}

}  // namespace unicni::document
