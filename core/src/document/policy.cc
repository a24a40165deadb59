#include "document/policy.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "document/builder.h"
#include "document/plain.h"
#include "document/plugin.h"
#include "document/policy_node.h"
#include "document/source.h"
#include "protocol/document.h"
#include "protocol/plugin_fields.h"
#include "unicni/error.h"
#include "unicni/nearest.h"
#include "unicni/sys/file.h"

namespace unicni::document {
namespace {

constexpr std::string_view kExtension = ".yaml";
constexpr std::string_view kAnchorPrefix = "x-";
constexpr std::array<std::string_view, 2> kFileKeys = {"rules", "modules"};
constexpr std::array<std::string_view, 3> kModuleKeys = {"allow", "deny", "exec"};
constexpr std::array<std::string_view, 9> kRuleKeys = {
    "name", "match", "deny", "defaults", "override", "prepend", "append", "require", "onMissing"};
constexpr std::array<std::string_view, 7> kMatchKeys = {"network",   "type",   "namespace", "pod",
                                                        "interface", "labels", "onMissing"};

bool is_wrong(const Finding& finding) { return finding.kind == FindingKind::wrong_value; }

class PolicyReader {
 public:
  PolicyReader(const Document& document, std::span<const TypeOptions> types, TypedPolicy& to)
      : root_(*document.root),
        file_{document.file, document.syntax, types, to.findings},
        policy_(to.policy) {}

  void read() {
    if (root_.kind != Kind::map) {
      return file_.wrong_value(root_, "the policy", "an object with \"rules\" or \"modules\"");
    }
    for (const Child& child : root_.children) {
      if (!file_.knows(child, kFileKeys, "") || child.node->is_null()) continue;
      if (child.key == "modules") read_modules(child);
      if (child.key != "rules") continue;
      if (child.node->kind != Kind::sequence) {
        file_.wrong_value(*child.node, "rules", "a list of rules");
        continue;
      }
      for (std::size_t i = 0; i < child.node->children.size(); ++i) {
        read_rule(*child.node->children[i].node, path_to("rules", i));
      }
    }
  }

 private:
  void read_modules(const Child& child) {
    const Node& node = *child.node;
    if (node.kind != Kind::map) {
      return file_.wrong_value(node, "modules", "an object with \"allow\", \"deny\" or \"exec\"");
    }
    policy::ModuleRules modules{file_.place(child.key_position)};
    for (const Child& each : node.children) {
      if (!file_.knows(each, kModuleKeys, "modules")) continue;
      const std::string path = path_to("modules", each.key);
      if (each.key == "allow") modules.allow = file_.patterns(*each.node, path);
      if (each.key == "deny") {
        modules.deny = file_.patterns(*each.node, path).value_or(policy::Patterns());
      }
      if (each.key == "exec") modules.exec = read_exec(*each.node, path);
    }
    policy_.modules.push_back(std::move(modules));
  }

  policy::Exec read_exec(const Node& node, const std::string& path) const {
    if (node.text == "never") return policy::Exec::never;
    if (node.text == "listed") return policy::Exec::listed;
    if (node.text != "fallback") {
      file_.wrong_value(node, path, "\"never\", \"listed\" or \"fallback\"");
    }
    return policy::Exec::fallback;
  }

  void read_rule(const Node& node, const std::string& path) {
    if (node.kind != Kind::map) return file_.wrong_value(node, path, "a rule, which is an object,");
    policy::Rule rule{{}, file_.place(node.position)};
    const std::size_t before = file_.findings.size();
    rule.name = rule.place.str();
    // What a rule is about says what its values are.
    if (const Child* match = node.find("match"); match != nullptr) read_match(*match, rule, path);
    for (const Child& child : node.children) {
      if (file_.knows(child, kRuleKeys, path)) {
        read_part(child, rule, path_to(path, child.key));
      }
    }
    const bool has_effect = rule.deny || rule.match.denies_missing || !rule.defaults.empty() ||
                            !rule.overrides.empty() || !rule.limits.empty() ||
                            !rule.prepended.empty() || !rule.appended.empty();
    if (!has_effect && file_.findings.size() == before) {
      file_.findings.push_back({FindingKind::missing_key, node.position,
                                fmt::format("{}: the rule does nothing", path),
                                "a rule has deny, defaults, override, prepend, append or require"});
    }
    policy_.rules.push_back(std::move(rule));
  }

  void read_part(const Child& child, policy::Rule& rule, const std::string& path) {
    const Node& node = *child.node;
    if (child.key == "match") return;
    if (child.key == "name") {
      if (node.kind != Kind::scalar || node.is_null())
        return file_.wrong_value(node, path, "a text");
      rule.name = node.text;
    } else if (child.key == "onMissing") {
      read_on_missing(node, rule, path);
    } else if (child.key == "deny") {
      read_deny(node, rule, path);
    } else if (child.key == "defaults") {
      rule.defaults = read_values(file_, rule.match.type, node, path);
    } else if (child.key == "override") {
      rule.overrides = read_values(file_, rule.match.type, node, path);
    } else if (child.key == "require") {
      rule.limits = read_limits(file_, node, path);
    } else {
      (child.key == "prepend" ? rule.prepended : rule.appended) = read_additions(node, path);
    }
  }

  void read_match(const Child& match, policy::Rule& rule, const std::string& rule_path) {
    const std::string path = path_to(rule_path, "match");
    const Node& node = *match.node;
    if (node.is_null()) return;
    if (node.kind != Kind::map) {
      return file_.wrong_value(node, path, "an object with what the rule is about");
    }
    for (const Child& child : node.children) {
      if (!file_.knows(child, kMatchKeys, path)) continue;
      const std::string where = path_to(path, child.key);
      if (child.key == "onMissing") {
        read_on_missing(*child.node, rule, where);
      } else if (child.key == "labels") {
        read_labels(*child.node, rule, where);
      } else {
        const auto read_into = [&](std::string_view key, auto& patterns) {
          if (child.key == key) patterns = file_.patterns(*child.node, where);
        };
        read_into("network", rule.match.network);
        read_into("type", rule.match.type);
        read_into("namespace", rule.match.namespace_);
        read_into("pod", rule.match.pod);
        read_into("interface", rule.match.if_name);
        look_for_idle_patterns(file_, child, where);
      }
    }
  }

  void read_labels(const Node& node, policy::Rule& rule, const std::string& path) {
    if (node.kind != Kind::map) return file_.wrong_value(node, path, "an object of labels");
    for (const Child& child : node.children) {
      const std::string where = path_to(path, child.key);
      auto patterns = file_.patterns(*child.node, where);
      look_for_idle_list(file_, *child.node, where);
      if (patterns) rule.match.labels.emplace_back(child.key, *std::move(patterns));
    }
  }

  void read_on_missing(const Node& node, policy::Rule& rule, const std::string& path) {
    if (node.text == "deny") {
      rule.match.denies_missing = true;
    } else if (node.text != "ignore") {
      file_.wrong_value(node, path, "\"deny\" or \"ignore\"");
    }
  }

  /// `deny: no` might be meant as the text, as no denial, or as the contrary.
  void read_deny(const Node& node, policy::Rule& rule, const std::string& path) {
    const bool is_text = node.kind == Kind::scalar && !node.text.empty() &&
                         (node.style == Style::text ||
                          (file_.syntax == Syntax::yaml && !plain_boolean(node.text) &&
                           !plain_integer(node.text) && plain_json(node.text).front() == '"'));
    if (!is_text) {
      return file_.wrong_value(node, path,
                               "the text of the refusal, in quotes unless it is words,");
    }
    rule.deny = node.text;
  }

  std::vector<policy::Addition> read_additions(const Node& node, const std::string& path) {
    std::vector<policy::Addition> additions;
    if (node.kind != Kind::sequence) {
      file_.wrong_value(node, path, "a list of plugin objects");
      return additions;
    }
    TypedWriter writer(file_.syntax, file_.findings, Sizes::with_units);
    for (std::size_t i = 0; i < node.children.size(); ++i) {
      const Node& plugin = *node.children[i].node;
      const std::string where = path_to(path, i);
      if (plugin.kind != Kind::map) {
        file_.wrong_value(plugin, where, "a plugin object");
        continue;
      }
      const Child* type = find_field(plugin, "type");
      if (type != nullptr && type->node->text == protocol::kListType) {
        file_.wrong(type->node->position,
                    fmt::format("{}: a list can't be added to a list", path_to(where, "type")),
                    "add its plugins one by one");
        continue;
      }
      additions.push_back(
          {plugin_json(writer, file_.types, plugin, where), file_.place(plugin.position)});
    }
    return additions;
  }

  const Node& root_;
  PolicyFile file_;
  policy::Policy& policy_;
};

}  // namespace

void PolicyFile::wrong(Position position, std::string text, std::string details) const {
  findings.push_back({FindingKind::wrong_value, position, std::move(text), std::move(details)});
}

void PolicyFile::wrong_value(const Node& node, std::string_view path,
                             std::string_view expected) const {
  wrong(node.position, fmt::format("{}: {} is expected, not {}", path, expected, shown(node)));
}

void PolicyFile::never_holds(Position position, std::string text, std::string details) const {
  findings.push_back({FindingKind::never_holds, position, std::move(text), std::move(details)});
}

bool PolicyFile::knows(const Child& child, std::span<const std::string_view> known,
                       std::string_view path) const {
  if (std::find(known.begin(), known.end(), child.key) != known.end()) return true;
  if (child.key.starts_with(kAnchorPrefix)) return false;
  const std::string nearest = options::nearest_key(child.key, {known.begin(), known.end()});
  wrong(child.key_position,
        fmt::format("{}: unknown key{}", path_to(path, child.key),
                    nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)));
  return false;
}

std::optional<policy::Patterns> PolicyFile::patterns(const Node& node,
                                                     const std::string& path) const {
  constexpr const char* kExpected = "a text, or a list of texts, in which * stands for any text,";
  policy::Patterns patterns;
  const auto add = [&](const Node& each, const std::string& where) {
    if (each.kind == Kind::scalar && !each.is_null()) {
      patterns.push_back(each.text);
    } else {
      wrong_value(each, where, kExpected);
    }
  };
  if (node.kind != Kind::sequence) {
    add(node, path);
    return patterns;
  }
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    add(*node.children[i].node, path_to(path, i));
  }
  return patterns;
}

TypedPolicy type_policy(const Document& document, std::span<const TypeOptions> types) {
  TypedPolicy typed;
  PolicyReader(document, types, typed).read();
  std::stable_sort(typed.findings.begin(), typed.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.position < b.position; });
  return typed;
}

policy::Policy read_policy(const Document& document, std::span<const TypeOptions> types,
                           std::vector<std::string>& warnings) {
  TypedPolicy typed = type_policy(document, types);
  const auto wrong = std::find_if(typed.findings.begin(), typed.findings.end(), is_wrong);
  if (wrong != typed.findings.end()) {
    throw Error(Code::policy_unreadable, wrong->line(document.file), wrong->details);
  }
  for (const Finding& finding : typed.findings) warnings.push_back(finding.line(document.file));
  return std::move(typed.policy);
}

namespace {

template <class IsWanted>
std::vector<std::string> paths_in(const std::string& folder, const IsWanted& is_wanted) {
  std::vector<std::string> paths;
  for (const std::string& name : sys::list_folder(folder)) {
    if (!name.starts_with('.') && is_wanted(name)) paths.push_back(folder + '/' + name);
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool is_policy(std::string_view name) { return name.ends_with(kExtension); }

}  // namespace

bool is_nearly_policy(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos || is_policy(name)) return false;
  const std::string_view extension = name.substr(dot);
  return protocol::same_letters(extension, ".yml") || protocol::same_letters(extension, ".json") ||
         protocol::same_letters(extension, kExtension);
}

std::vector<std::string> list_policies(const std::string& folder) {
  return paths_in(folder, is_policy);
}

std::vector<std::string> list_near_policies(const std::string& folder) {
  return paths_in(folder, is_nearly_policy);
}

std::vector<std::string> list_subfolders(const std::string& folder) {
  return paths_in(folder, [&](const std::string& name) {
    std::error_code none;
    return !is_policy(name) && std::filesystem::is_directory(folder + '/' + name, none);
  });
}

}  // namespace unicni::document
