#include "document/chain.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <climits>
#include <filesystem>
#include <optional>
#include <utility>

#include "document/builder.h"
#include "document/plugin.h"
#include "document/source.h"
#include "document/typed.h"
#include "options/warnings.h"
#include "protocol/document.h"
#include "protocol/name.h"
#include "protocol/plugin_fields.h"
#include "protocol/version.h"
#include "unicni/error.h"
#include "unicni/nearest.h"
#include "unicni/sys/file.h"

namespace unicni::document {
namespace {

constexpr std::string_view kExtension = ".yaml";
constexpr std::string_view kListExtension = ".conflist";
constexpr std::size_t kShownNames = 20;
constexpr std::string_view kAnchorPrefix = "x-";

/// Keys of the list itself; libcni reads them in this letter case only.
struct ListFields {
  std::string name, cni_version;
  std::vector<std::string> cni_versions;
  bool disable_check = false, disable_gc = false, only_inlined = false;
  std::vector<JsonObject> plugins;
};
constexpr Option kListRows[] = {
    option<&ListFields::name>("name", "the network's name: that of the file").exact_case(),
    option<&ListFields::cni_version>("cniVersion", "version of the CNI spec").exact_case(),
    option<&ListFields::cni_versions>("cniVersions", "versions of the CNI spec").exact_case(),
    option<&ListFields::disable_check>("disableCheck", "CHECK does nothing").exact_case(),
    option<&ListFields::disable_gc>("disableGC", "GC does nothing").exact_case(),
    option<&ListFields::only_inlined>("loadOnlyInlinedPlugins", "no drop-ins").exact_case(),
    option<&ListFields::plugins>("plugins", "the plugins, in their order").exact_case(),
};
constexpr OptionTable kListFields = option_table<ListFields>(kListRows);

/// 0.4.0 had disableCheck as a string, which readers of lists still take.
bool is_boolean_in_quotes(const Child& child) {
  return child.key.starts_with("disable") && child.node->style == Style::text &&
         (protocol::same_letters(child.node->text, "true") ||
          protocol::same_letters(child.node->text, "false"));
}

/// A .conflist's plugins may all be files of their own (spec 1.1, loadOnlyInlinedPlugins), which
/// its folder has and not its document.
bool has_drop_ins(const Document& document) {
  if (!document.file.ends_with(kListExtension)) return false;
  const Child* only = document.root->find("loadOnlyInlinedPlugins");
  return document.root->find("plugins") == nullptr &&
         (only == nullptr || only->node->text != "true");
}

class ChainWriter {
 public:
  ChainWriter(const Document& document, std::span<const TypeOptions> types,
              std::vector<Finding>& findings)
      : root_(*document.root),
        may_have_drop_ins_(has_drop_ins(document)),
        types_(types),
        writer_(document.syntax, findings) {}

  std::string write(std::string_view name) {
    if (root_.kind != Kind::map) {
      writer_.add_wrong(root_, "the chain", "an object", "a chain has \"plugins\"");
      return writer_.free(root_);
    }
    std::string text = "{";
    if (root_.find("name") == nullptr) append_member(text, "name", protocol::quote(name));
    for (const Child& child : root_.children) {
      if (child.key.starts_with(kAnchorPrefix)) continue;
      writer_.check_key(kListFields, OptionSource::config, options::Neighbours::none, root_, child,
                        "");
      append_member(text, child.key, member(child));
    }
    check_name(name);
    check_versions();
    if (!may_have_drop_ins_) require("plugins", "a list of at least one plugin object");
    return text + '}';
  }

 private:
  std::string member(const Child& child) {
    if (child.key == "plugins" && child.node->kind == Kind::sequence) return plugins(*child.node);
    if (is_boolean_in_quotes(child)) return writer_.free(*child.node);
    return writer_.member(kListFields, OptionSource::config, child, "");
  }

  std::string plugins(const Node& plugins) {
    if (plugins.children.empty()) {
      writer_.add(FindingKind::wrong_value, plugins.position, "plugins: the list is empty",
                  "a list of at least one plugin object is expected");
    }
    std::string text = "[";
    for (std::size_t i = 0; i < plugins.children.size(); ++i) {
      const Node& plugin = *plugins.children[i].node;
      const std::string path = path_to("plugins", i);
      if (i > 0) text += ',';
      if (plugin.kind == Kind::map) {
        text += plugin_json(writer_, types_, plugin, path);
      } else {
        writer_.add_wrong(plugin, path, "a plugin object", {});
        text += writer_.free(plugin);
      }
    }
    return text + ']';
  }

  const Child* require(std::string_view key, std::string_view expected) {
    const Child* child = root_.find(key);
    if (child != nullptr && !child->node->is_null()) return child;
    writer_.add(FindingKind::wrong_value, child == nullptr ? root_.position : child->key_position,
                fmt::format("{}: missing, {} is needed", key, expected), {});
    return nullptr;
  }

  /// A chain needn't say it.
  void check_name(std::string_view name) {
    if (root_.find("name") == nullptr) return;
    const Child* child = require("name", "the network's name, which is that of the file,");
    if (child == nullptr || child->node->kind != Kind::scalar || child->node->text == name) return;
    writer_.add(
        FindingKind::wrong_value, child->node->position,
        fmt::format("name: {} is expected, not {}", protocol::quote(name), shown(*child->node)),
        fmt::format("a chain has the name of its file, which is {}{}", name, kExtension));
  }

  void check_versions() {
    const Child* own = root_.find("cniVersion");
    if (own != nullptr && own->node->kind == Kind::scalar && !own->node->text.empty() &&
        !own->node->is_null() && !protocol::version_parts(own->node->text)) {
      writer_.add_wrong(*own->node, "cniVersion", "a version as 1.0.0", {});
    }
    const Child* versions = root_.find("cniVersions");
    if (versions == nullptr || versions->node->kind != Kind::sequence) return;
    for (std::size_t i = 0; i < versions->node->children.size(); ++i) {
      const Node& version = *versions->node->children[i].node;
      if (version.kind != Kind::scalar || protocol::version_parts(version.text)) continue;
      writer_.add_wrong(version, path_to("cniVersions", i), "a version as 1.0.0", {});
    }
  }

  const Node& root_;
  bool may_have_drop_ins_;
  std::span<const TypeOptions> types_;
  TypedWriter writer_;
};

/// What lists must keep to beyond their types, and plugins beyond their tables. It has no places,
/// so what has one is looked for before.
protocol::NetworkList parse(const std::string& json, const std::string& file) {
  protocol::NetworkList list = protocol::parse_list(json, file);
  protocol::require_network_name(list);
  if (!file.ends_with(kListExtension)) protocol::require_members(list);
  return list;
}

void add_type(const Node& object, std::vector<std::string>& types) {
  const Child* type = find_field(object, "type");
  if (type == nullptr || type->node->kind != Kind::scalar) return;
  if (std::find(types.begin(), types.end(), type->node->text) == types.end()) {
    types.push_back(type->node->text);
  }
}

bool is_wrong(const Finding& finding) { return finding.kind == FindingKind::wrong_value; }

Error no_chain(const std::string& folder, const std::string& name) {
  const std::vector<std::string> names = list_chains(folder);
  std::string advice;
  const std::string nearest = options::nearest_key(name, {names.begin(), names.end()});
  if (!nearest.empty()) advice = fmt::format("did you mean {}? ", protocol::quote(nearest));
  for (const std::string& file : sys::list_folder(folder)) {
    if (!is_nearly_chain(file) || !file.starts_with(name + '.')) continue;
    advice += fmt::format("{} is passed over, as chains are files NAME{}; ", file, kExtension);
  }
  if (names.empty()) {
    advice += fmt::format("a chain is a file NAME{}, and there is none", kExtension);
  } else {
    advice += "there are: ";
    for (std::size_t i = 0; i < std::min(names.size(), kShownNames); ++i) {
      advice += (i > 0 ? ", " : "") + names[i];
    }
    if (names.size() > kShownNames) {
      advice += fmt::format(" and {} more", names.size() - kShownNames);
    }
  }
  return {Code::invalid_config, fmt::format("no chain {} in {}", protocol::quote(name), folder),
          std::move(advice)};
}

}  // namespace

NamedTypes types_in(const Document& document) {
  NamedTypes types;
  for_each_plugin(*document.root, [&](const Node& plugin) {
    add_type(plugin, types.plugins);
    if (const Child* ipam = find_field(plugin, "ipam")) add_type(*ipam->node, types.ipams);
  });
  return types;
}

bool is_single_plugin(const Document& document) {
  const Child* type = find_field(*document.root, "type");
  if (document.file.ends_with(kExtension) || document.file.ends_with(kListExtension)) return false;
  if (type == nullptr || document.root->find("plugins") == nullptr) return type != nullptr;
  return type->node->text == protocol::kListType;
}

void for_each_plugin(const Node& node, const std::function<void(const Node&)>& visit) {
  const Child* plugins = node.find("plugins");
  if (plugins != nullptr) {
    for (const Child& plugin : plugins->node->children) for_each_plugin(*plugin.node, visit);
  }
  if (find_field(node, "type") != nullptr) visit(node);
}

namespace {

/// And what only the reader `parse` refuses.
template <class Parse>
TypedChain with_all_findings(const Document& document, TypedChain chain, const Parse& parse) {
  if (std::none_of(chain.findings.begin(), chain.findings.end(), is_wrong)) {
    try {
      parse(chain.json, document.file);
    } catch (const Error& error) {
      std::string text = error.msg();
      const std::string source = document.file + ": ";
      if (text.starts_with(source)) text.erase(0, source.size());
      chain.findings.push_back(
          {FindingKind::wrong_value, document.root->position, text, error.details()});
    }
  }
  std::stable_sort(chain.findings.begin(), chain.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.position < b.position; });
  return chain;
}

}  // namespace

TypedChain type_chain(const Document& document, std::string_view name,
                      std::span<const TypeOptions> types) {
  TypedChain chain;
  chain.json = ChainWriter(document, types, chain.findings).write(name);
  return with_all_findings(document, std::move(chain), parse);
}

TypedChain type_plugin(const Document& document, std::span<const TypeOptions> types) {
  TypedChain plugin;
  TypedWriter writer(document.syntax, plugin.findings);
  plugin.json = plugin_json(writer, types, *document.root, "");
  return with_all_findings(document, std::move(plugin), protocol::parse_plugin);
}

protocol::NetworkList read_chain(const Document& document, std::string_view name,
                                 std::span<const TypeOptions> types) {
  const TypedChain chain = type_chain(document, name, types);
  const auto wrong = std::find_if(chain.findings.begin(), chain.findings.end(), is_wrong);
  if (wrong != chain.findings.end()) {
    throw Error(Code::invalid_config, wrong->line(document.file), wrong->details);
  }
  protocol::NetworkList list = parse(chain.json, document.file);
  options::Warnings warnings;
  for (const Finding& finding : chain.findings) {
    warnings.add([&] { return finding.line(document.file); });
  }
  for (std::string& text : warnings.take()) list.warnings.push_back(std::move(text));
  return list;
}

void require_chain_name(const std::string& name) {
  if (name.find('/') != std::string::npos && name.ends_with(kExtension)) {
    throw Error(Code::invalid_config,
                fmt::format("{} is no name of a chain", protocol::quote(name)),
                fmt::format("a chain is named without its folder and extension: {}",
                            std::filesystem::path(name).stem().string()));
  }
  protocol::require_network_name(name);
  constexpr std::size_t kLongest = NAME_MAX - kExtension.size();
  if (name.size() <= kLongest) return;
  throw Error(Code::invalid_config, fmt::format("no chain has a name of {} bytes", name.size()),
              fmt::format("a chain is a file NAME{}, so its name has at most {} bytes", kExtension,
                          kLongest));
}

Document read_chain_file(const std::string& folder, const std::string& name) {
  require_chain_name(name);
  const std::string path = fmt::format("{}/{}{}", folder, name, kExtension);
  // One byte more than may be, so that the reader says with its place what is too large.
  std::optional<std::string> text;
  try {
    text = sys::read_file(path, kFileLimit + 1);
  } catch (const Error& error) {
    throw Error(Code::decode, error.msg(), error.details());
  }
  if (!text && std::filesystem::is_symlink(path)) {
    throw Error(Code::invalid_config, path + " leads nowhere", "mend or remove this symbolic link");
  }
  if (!text) throw no_chain(folder, name);
  return read(*text, path);
}

bool is_nearly_chain(std::string_view name) {
  const std::string_view extension = name.substr(std::min(name.rfind('.'), name.size()));
  return extension != kExtension && (protocol::same_letters(extension, ".yml") ||
                                     protocol::same_letters(extension, kExtension));
}

std::vector<std::string> list_chains(const std::string& folder) {
  std::vector<std::string> names;
  for (std::string& file : sys::list_folder(folder)) {
    if (!file.ends_with(kExtension)) continue;
    file.resize(file.size() - kExtension.size());
    if (protocol::valid_name(file)) names.push_back(std::move(file));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace unicni::document
