// "require" of a rule.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "document/builder.h"
#include "document/plain.h"
#include "document/policy_node.h"
#include "protocol/document.h"
#include "unicni/ip.h"
#include "unicni/nearest.h"

namespace unicni::document {
namespace {

enum class Takes : unsigned char { range, patterns, both, booleans };

struct LimitKey {
  std::string_view key;
  Takes takes;
};
/// Keys that aren't just an option's.
constexpr std::array<LimitKey, 7> kKeys = {{{"mtu", Takes::both},
                                            {"master", Takes::patterns},
                                            {"hostPort", Takes::both},
                                            {"hostIP", Takes::patterns},
                                            {"sysctl", Takes::patterns},
                                            {"egressRate", Takes::range},
                                            {"ingressRate", Takes::range}}};
constexpr const char* kBooleans = "true, false or a list of them";
constexpr std::array<std::string_view, 2> kRangeKeys = {"min", "max"};

Takes takes_of(ValueKind kind) {
  if (kind == ValueKind::integer) return Takes::both;
  return kind == ValueKind::boolean ? Takes::booleans : Takes::patterns;
}

/// What a limit on `key` may be, and how the key is spelled. nullopt: nobody has such an option.
std::optional<LimitKey> find_key(const PolicyFile& file, std::string_view key) {
  for (const LimitKey& known : kKeys) {
    if (protocol::same_letters(known.key, key)) return known;
  }
  std::optional<LimitKey> found;
  for (const TypeOptions& type : file.types) {
    if (type.options == nullptr) continue;
    for (const Option& row : std::span(type.options->rows, type.options->count)) {
      if (!protocol::same_letters(row.key, key)) continue;
      const Takes takes = takes_of(row.type->kind);
      // Where plugins disagree about the kind of value, numbers win and texts come next.
      const bool is_first = !found || found->takes == takes;
      const bool is_number = takes == Takes::both || (found && found->takes == Takes::both);
      found = {row.key, is_number ? Takes::both : is_first ? takes : Takes::patterns};
    }
  }
  return found;
}

std::string nearest_limit(const PolicyFile& file, std::string_view key) {
  std::vector<std::string_view> known;
  for (const LimitKey& each : kKeys) known.push_back(each.key);
  for (const TypeOptions& type : file.types) {
    if (type.options == nullptr) continue;
    for (const Option& row : std::span(type.options->rows, type.options->count)) {
      known.emplace_back(row.key);
    }
  }
  return options::nearest_key(key, known);
}

std::optional<std::int64_t> read_size(const PolicyFile& file, const Node& node,
                                      const std::string& path) {
  std::optional<std::int64_t> size;
  if (node.kind == Kind::scalar) size = parse_size(node.text);
  if (!size) file.wrong_value(node, path, "a number, as 9000, 100M or 5Mi,");
  return size;
}

void read_range(const PolicyFile& file, const Node& node, const std::string& path,
                policy::Limit& limit) {
  for (const Child& child : node.children) {
    if (!file.knows(child, kRangeKeys, path)) continue;
    (child.key == "min" ? limit.min : limit.max) =
        read_size(file, *child.node, path_to(path, child.key));
  }
  if (node.children.empty()) file.wrong_value(node, path, "\"min\", \"max\" or both");
  if (limit.min && limit.max && *limit.min > *limit.max) {
    file.wrong(node.position, fmt::format("{}: no number is {}", path, limit.str()));
  }
}

/// Numbers are compared as numbers are printed.
policy::Patterns with_plain_numbers(policy::Patterns patterns) {
  for (std::string& pattern : patterns) {
    if (const auto size = parse_size(pattern)) {
      pattern = std::to_string(*size);
    } else if (auto number = plain_integer(pattern)) {
      pattern = *std::move(number);
    }
  }
  return patterns;
}

/// And booleans, whatever word of YAML's was written. Any other pattern would refuse every ADD.
policy::Patterns with_plain_booleans(const PolicyFile& file, const Node& node,
                                     const std::string& path, policy::Patterns patterns) {
  for (std::string& pattern : patterns) {
    if (auto boolean = plain_boolean(pattern)) {
      pattern = *std::move(boolean);
    } else if (pattern != "*") {
      file.wrong_value(node, path, kBooleans);
    }
  }
  return patterns;
}

constexpr std::int64_t kLastPort = 65535;

/// A wildcard, an address, a subnet, or "" for a mapping without hostIP.
bool is_address_pattern(const std::string& text) {
  return text.empty() || text.find_first_of("*?") != text.npos || IpAddress::parse(text) ||
         IpNet::parse(text);
}

void look_at_addresses(const PolicyFile& file, const Node& node, const std::string& path) {
  if (node.kind == Kind::map) return;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    look_at_addresses(file, *node.children[i].node, path_to(path, i));
  }
  if (node.kind != Kind::scalar || node.is_null() || is_address_pattern(node.text)) return;
  file.never_holds(node.position,
                   fmt::format("{}: {} is no address and no subnet, so it allows none", path,
                               protocol::quote(node.text)),
                   "an address as 127.0.0.1 or ::1, a subnet as 10.0.0.0/8, a pattern with * or ?, "
                   "or \"\" for mappings without hostIP");
}

void look_at_ports(const PolicyFile& file, const Node& node, const std::string& path,
                   const policy::Limit& limit) {
  constexpr const char* kPorts = "ports are numbers from 1 to 65535";
  const auto is_port = [](const std::string& pattern) {
    const auto number = parse_size(pattern);
    return !number || *number <= kLastPort;
  };
  if (limit.min && *limit.min > kLastPort) {
    file.never_holds(node.position, fmt::format("{}: no port is {}", path, limit.str()), kPorts);
  } else if (limit.max && *limit.max > kLastPort) {
    file.never_holds(
        node.position,
        fmt::format("{}: \"max\" is no limit: each port is below {}", path, *limit.max), kPorts);
  }
  for (const std::string& pattern : limit.allowed.value_or(policy::Patterns())) {
    if (is_port(pattern)) continue;
    file.never_holds(node.position, fmt::format("{}: no port is {}", path, pattern), kPorts);
  }
}

/// What no call can keep to, or break.
void look_for_idle_limit(const PolicyFile& file, const Node& node, const std::string& path,
                         const policy::Limit& limit) {
  if (limit.key == "hostIP") look_at_addresses(file, node, path);
  if (limit.key == "hostPort") look_at_ports(file, node, path, limit);
}

}  // namespace

std::vector<policy::Limit> read_limits(const PolicyFile& file, const Node& node,
                                       const std::string& path) {
  std::vector<policy::Limit> limits;
  if (node.kind != Kind::map) {
    file.wrong_value(node, path, "an object of options");
    return limits;
  }
  for (const Child& child : node.children) {
    const std::string where = path_to(path, child.key);
    const auto key = find_key(file, child.key);
    if (!key) {
      const std::string nearest = nearest_limit(file, child.key);
      file.wrong(child.key_position,
                 fmt::format("{}: no plugin has such an option{}", where,
                             nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)),
                 "a limit that binds nobody would allow everything");
      continue;
    }
    policy::Limit limit{std::string(key->key)};
    limit.place = file.place(child.key_position);
    const bool is_range = child.node->kind == Kind::map;
    if (is_range && key->takes == Takes::patterns) {
      file.wrong_value(*child.node, where, "a text or a list of texts");
    } else if (is_range && key->takes == Takes::booleans) {
      file.wrong_value(*child.node, where, kBooleans);
    } else if (!is_range && key->takes == Takes::range) {
      file.wrong_value(*child.node, where, "an object with \"min\" or \"max\"");
    } else if (is_range) {
      read_range(file, *child.node, where, limit);
    } else {
      limit.allowed = file.patterns(*child.node, where);
      if (limit.allowed && key->takes == Takes::both) {
        limit.allowed = with_plain_numbers(*std::move(limit.allowed));
      }
      if (limit.allowed && key->takes == Takes::booleans) {
        limit.allowed = with_plain_booleans(file, *child.node, where, *std::move(limit.allowed));
      }
    }
    look_for_idle_limit(file, *child.node, where, limit);
    limits.push_back(std::move(limit));
  }
  return limits;
}

}  // namespace unicni::document
