#include "type_look.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

#include "chain/chain.h"
#include "document/plugin.h"
#include "unicni/nearest.h"

namespace unicni::unictl {
namespace {

using document::Child;
using document::Finding;
using document::FindingKind;
using document::Node;

class TypeLook {
 public:
  TypeLook(std::span<const document::TypeOptions> types, const module::Locations& where,
           std::vector<Finding>& findings)
      : types_(types), where_(where), findings_(findings) {}

  void plugin(const Node& plugin) {
    if (const Child* type = document::find_field(plugin, "type")) look(*type->node, false);
    const Child* ipam = document::find_field(plugin, "ipam");
    const Child* type = ipam == nullptr ? nullptr : document::find_field(*ipam->node, "type");
    if (type != nullptr) look(*type->node, true);
    // A plugin that gives its work to another one names it so, as flannel does.
    if (const Child* delegate = document::find_field(plugin, "delegate")) {
      this->plugin(*delegate->node);
    }
  }

  void rule(const Node& rule) {
    for (const char* key : {"prepend", "append"}) {
      const Child* added = rule.find(key);
      if (added == nullptr) continue;
      for (const Child& each : added->node->children) plugin(*each.node);
    }
    const Child* match = rule.find("match");
    const Child* type = match == nullptr ? nullptr : match->node->find("type");
    if (type == nullptr) return;
    patterns(*type->node, "the rule is about a type that nobody has");
  }

  void modules(const Node& modules) {
    for (const char* key : {"allow", "deny"}) {
      const Child* types = modules.find(key);
      if (types != nullptr) patterns(*types->node, "nobody has this type");
    }
  }

 private:
  void patterns(const Node& node, const char* what) {
    if (node.children.empty()) pattern(node, what);
    for (const Child& each : node.children) pattern(*each.node, what);
  }
  void pattern(const Node& node, const char* what) {
    if (node.text.find_first_of("*?") != std::string::npos || has(node.text, std::nullopt)) return;
    add(node, std::nullopt, what);
  }
  void look(const Node& node, bool is_ipam) {
    if (node.text == chain::kChainType || has(node.text, is_ipam)) return;
    add(node, is_ipam, "no module and no program has this type");
  }

  void add(const Node& node, std::optional<bool> is_ipam, const char* what) {
    if (node.kind != document::Kind::scalar || node.text.empty()) return;
    std::vector<std::string_view> known;
    for (const document::TypeOptions& type : types_) {
      if (!is_ipam || *is_ipam == type.is_ipam) known.emplace_back(type.type);
    }
    const std::string nearest = options::nearest_key(node.text, known);
    findings_.push_back(
        {where_.cni_path.empty() ? FindingKind::missing_key : FindingKind::wrong_value,
         node.position,
         fmt::format("type {}: {}{}", node.text, what,
                     nearest.empty() ? "" : fmt::format("; did you mean \"{}\"?", nearest)),
         "a plugin of another maker is a program in CNI_PATH"});
  }

  [[nodiscard]] bool has(const std::string& type, std::optional<bool> is_ipam) const {
    const bool is_module = std::any_of(types_.begin(), types_.end(), [&](const auto& each) {
      return each.type == type && (!is_ipam || *is_ipam == each.is_ipam);
    });
    if (is_module || type.find('/') != std::string::npos) return is_module;
    const auto is_in = [&](const std::string& folder) {
      return ::access((folder + '/' + type).c_str(), X_OK) == 0;
    };
    return std::any_of(where_.cni_path.begin(), where_.cni_path.end(), is_in) ||
           is_in(std::filesystem::path(where_.executable).parent_path());
  }

  std::span<const document::TypeOptions> types_;
  const module::Locations& where_;
  std::vector<Finding>& findings_;
};

}  // namespace

std::vector<Finding> look_at_types(const document::Document& document,
                                   std::span<const document::TypeOptions> types,
                                   const module::Locations& where) {
  std::vector<Finding> findings;
  TypeLook look(types, where, findings);
  document::for_each_plugin(*document.root, [&](const Node& plugin) { look.plugin(plugin); });
  if (const Child* rules = document.root->find("rules")) {
    for (const Child& rule : rules->node->children) look.rule(*rule.node);
  }
  if (const Child* modules = document.root->find("modules")) look.modules(*modules->node);
  return findings;
}

}  // namespace unicni::unictl
