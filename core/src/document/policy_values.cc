// "defaults" and "override" of a rule.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "document/builder.h"
#include "document/policy_node.h"
#include "options/describe.h"
#include "policy/glob.h"
#include "protocol/document.h"
#include "unicni/nearest.h"

namespace unicni::document {
namespace {

/// What makes a plugin that plugin, and what the runtime writes.
constexpr std::array<std::string_view, 8> kFixedKeys = {
    "name", "cniVersion", "type", "prevResult", "capabilities", "runtimeConfig", "args", "ipam"};

bool is_fixed(std::string_view key) {
  return key.starts_with("cni.dev/") ||
         std::any_of(kFixedKeys.begin(), kFixedKeys.end(),
                     [&](std::string_view each) { return protocol::same_letters(key, each); });
}

bool has_wildcard(std::string_view pattern) { return pattern.find_first_of("*?") != pattern.npos; }

class ValueReader {
 public:
  ValueReader(const PolicyFile& file, const std::optional<policy::Patterns>& types)
      : file_(file), types_(types) {}

  [[nodiscard]] policy::Value read(const Child& child, const std::string& path) const {
    std::vector<Finding> unfit;
    policy::Value value{child.key, TypedWriter(file_.syntax, unfit).free(*child.node)};
    value.place = file_.place(child.key_position);
    bool is_known = false;
    for (const TypeOptions& type : file_.types) {
      if (!is_about(types_, type) || type.options == nullptr) continue;
      const Option* row = options::find_row(*type.options, OptionSource::config, child.key);
      if (row == nullptr) continue;
      is_known = true;
      std::vector<Finding> wrong;
      std::string json = TypedWriter(file_.syntax, wrong, Sizes::with_units)
                             .value(*row->type, *row, *child.node, path);
      if (wrong.empty()) value.by_type.emplace_back(type.type, std::move(json));
      unfit.insert(unfit.end(), wrong.begin(), wrong.end());
    }
    if (!is_known) refuse_unknown(child, path);
    // What one of the types takes may be meant for that one.
    if (value.by_type.empty() && !unfit.empty()) file_.findings.push_back(unfit.front());
    simplify(value);
    return value;
  }

 private:
  /// Of a type that isn't installed, or that a wildcard may mean, nobody knows the options.
  void refuse_unknown(const Child& child, const std::string& path) const {
    std::vector<std::string_view> known;
    for (const TypeOptions& type : file_.types) {
      if (!is_about(types_, type) || type.options == nullptr) continue;
      for (const Option& row : std::span(type.options->rows, type.options->count)) {
        if (row.source == OptionSource::config) known.emplace_back(row.key);
      }
    }
    if (types_) {
      for (const std::string& pattern : *types_) {
        const bool is_installed =
            std::any_of(file_.types.begin(), file_.types.end(),
                        [&](const TypeOptions& type) { return type.type == pattern; });
        if (has_wildcard(pattern) || !is_installed) return;
      }
    }
    const std::string nearest = options::nearest_key(child.key, known);
    file_.wrong(child.key_position,
                fmt::format("{}: no plugin that the rule is about has such an option{}", path,
                            nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
  }

  /// Mostly all types take the value alike.
  static void simplify(policy::Value& value) {
    if (value.by_type.empty()) return;
    const std::string& first = value.by_type.front().second;
    const bool are_equal = std::all_of(value.by_type.begin(), value.by_type.end(),
                                       [&](const auto& each) { return each.second == first; });
    if (!are_equal) return;
    value.json = first;
    value.by_type.clear();
  }

  const PolicyFile& file_;
  const std::optional<policy::Patterns>& types_;
};

}  // namespace

bool is_about(const std::optional<policy::Patterns>& types, const TypeOptions& type) {
  return types ? policy::matches_any(*types, type.type) : !type.is_ipam;
}

std::vector<policy::Value> read_values(const PolicyFile& file,
                                       const std::optional<policy::Patterns>& types,
                                       const Node& node, const std::string& path) {
  std::vector<policy::Value> values;
  if (node.kind != Kind::map) {
    file.wrong_value(node, path, "an object of options");
    return values;
  }
  const ValueReader reader(file, types);
  for (const Child& child : node.children) {
    const std::string where = path_to(path, child.key);
    if (is_fixed(child.key)) {
      file.wrong(child.key_position, fmt::format("{}: no rule can set this key", where),
                 "it says which plugin it is, or it is the runtime's; an IPAM's options are set by "
                 "a rule about its type");
      continue;
    }
    values.push_back(reader.read(child, where));
  }
  return values;
}

}  // namespace unicni::document
