// Patterns of a rule's "match" that nothing can match: the rule is about nobody, so its denial
// protects nobody.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "document/builder.h"
#include "document/policy_node.h"
#include "protocol/document.h"

namespace unicni::document {
namespace {

constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz0123456789";

/// What names of a kind are made of.
struct NameKind {
  std::string_view key;
  bool (*allows)(char c);
  std::size_t longest;
  const char* description;
};

bool is_lower(char c) { return kLower.find(c) != kLower.npos; }
bool is_of_network(char c) {
  return is_lower(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
}
bool is_of_namespace(char c) { return is_lower(c) || c == '-'; }
bool is_of_pod(char c) { return is_lower(c) || c == '-' || c == '.'; }
/// net/core/dev.c, dev_valid_name()
bool is_of_link(char c) {
  return c != '/' && c != ':' && std::string_view(" \t\n\v\f\r").find(c) == std::string_view::npos;
}

constexpr std::array<NameKind, 4> kNames = {{
    {"network", is_of_network, 0, "the name of a network has letters, digits, _ . and -"},
    {"namespace", is_of_namespace, 63,
     "the name of a Kubernetes namespace has a-z, 0-9 and -, at most 63 of them"},
    {"pod", is_of_pod, 253, "the name of a pod has a-z, 0-9, - and ., at most 253 of them"},
    {"interface", is_of_link, 15,
     "the name of an interface has at most 15 characters, and no /, : or blank among them"},
}};

bool is_wildcard(char c) { return c == '*' || c == '?'; }

/// Why no name matches; "": one may.
std::string why_nothing_matches(const NameKind& kind, std::string_view pattern) {
  const auto strange = std::find_if(pattern.begin(), pattern.end(),
                                    [&](char c) { return !is_wildcard(c) && !kind.allows(c); });
  if (strange != pattern.end()) {
    const bool is_ascii = static_cast<unsigned char>(*strange) < 0x80;
    return fmt::format(
        "no {} has {}", kind.key,
        is_ascii ? fmt::format("a {}", protocol::quote({&*strange, 1})) : "such a character");
  }
  const auto stars = static_cast<std::size_t>(std::count(pattern.begin(), pattern.end(), '*'));
  const std::size_t shortest = pattern.size() - stars;
  if (kind.longest == 0 || shortest <= kind.longest) return {};
  return fmt::format("no {} has {} characters", kind.key, shortest);
}

void look_at_pattern(const PolicyFile& file, const NameKind& kind, const Node& node,
                     const std::string& path) {
  if (node.kind != Kind::scalar || node.is_null()) return;
  const std::string why = why_nothing_matches(kind, node.text);
  if (why.empty()) return;
  file.never_holds(node.position,
                   fmt::format("{}: {} matches nothing: {}", path, protocol::quote(node.text), why),
                   fmt::format("{}; in a pattern * stands for any text and ? for one character",
                               kind.description));
}

}  // namespace

void look_for_idle_list(const PolicyFile& file, const Node& node, const std::string& path) {
  if (node.kind != Kind::sequence || !node.children.empty()) return;
  file.never_holds(node.position, fmt::format("{}: an empty list matches nothing", path),
                   "the rule is about nobody; leave the key out to have it about all");
}

void look_for_idle_patterns(const PolicyFile& file, const Child& child, const std::string& path) {
  const Node& node = *child.node;
  look_for_idle_list(file, node, path);
  const auto kind = std::find_if(kNames.begin(), kNames.end(),
                                 [&](const NameKind& each) { return each.key == child.key; });
  if (kind == kNames.end()) return;
  if (node.kind != Kind::sequence) return look_at_pattern(file, *kind, node, path);
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    look_at_pattern(file, *kind, *node.children[i].node, path_to(path, i));
  }
}

}  // namespace unicni::document
