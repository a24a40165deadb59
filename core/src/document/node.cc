#include "document/node.h"

#include <algorithm>

#include "options/describe.h"

namespace unicni::document {

bool Node::is_null() const {
  return kind == Kind::scalar && style == Style::plain &&
         (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL");
}

const Child* Node::find(std::string_view key) const {
  if (kind != Kind::map) return nullptr;
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const Child& child) { return child.key == key; });
  return found == children.end() ? nullptr : &*found;
}

bool operator==(const Node& a, const Node& b) {
  return a.kind == b.kind && a.style == b.style && a.text == b.text && a.position == b.position &&
         std::equal(a.children.begin(), a.children.end(), b.children.begin(), b.children.end(),
                    [](const Child& x, const Child& y) {
                      return x.key == y.key && x.key_style == y.key_style &&
                             x.key_position == y.key_position && *x.node == *y.node;
                    });
}

std::string shown(const Node& node) {
  if (node.kind == Kind::sequence) return "a list";
  if (node.kind == Kind::map) return "an object";
  if (node.style == Style::plain && node.text.empty()) return "nothing";
  const std::string quoted = options::shown_text(node.text);
  if (node.style == Style::text || quoted.find('\\') != std::string::npos) return quoted;
  std::string bare = quoted;
  std::erase(bare, '"');
  return bare;
}

}  // namespace unicni::document
