#include "document/plugin.h"

#include <fmt/core.h>

#include <optional>
#include <vector>

#include "document/builder.h"
#include "protocol/document.h"
#include "protocol/plugin_fields.h"
#include "unicni/error.h"

namespace unicni::document {
namespace {

/// Keys of every plugin object that no module's table has (spec section 1, libcni).
struct PluginFields {
  std::string type, name, cni_version;
  std::vector<std::string> cni_versions;
  bool disable_check = false, disable_gc = false, only_inlined = false;
  Dns dns;
};
constexpr Option kPluginRows[] = {
    option<&PluginFields::type>("type", "the plugin's name"),
    option<&PluginFields::name>("name", "the network's name, which the list says"),
    option<&PluginFields::cni_version>("cniVersion", "the version, which the list says"),
    option<&PluginFields::cni_versions>("cniVersions", "the versions, which the list says"),
    option<&PluginFields::disable_check>("disableCheck", "says something in the list only"),
    option<&PluginFields::disable_gc>("disableGC", "says something in the list only"),
    option<&PluginFields::only_inlined>("loadOnlyInlinedPlugins",
                                        "says something in the list only"),
    option<&PluginFields::dns>("dns", "DNS servers and domains of the network"),
};
constexpr OptionTable kPluginFields = option_table<PluginFields>(kPluginRows);

struct CapabilityField {
  bool enabled = false;
};
constexpr Option kCapability = option<&CapabilityField::enabled>(
    "", "whether the runtime passes this capability's values to the plugin");

constexpr OptionTable kNoOptions{nullptr, 0, nullptr, nullptr};

bool is_key(const Child& child, std::string_view key) {
  return protocol::same_letters(child.key, key);
}

class PluginWriter {
 public:
  PluginWriter(TypedWriter& writer, std::span<const TypeOptions> types)
      : writer_(writer), types_(types) {}

  std::string plugin(const Node& plugin, const std::string& path) {
    const OptionTable* table = table_of(plugin, path, false);
    if (table != nullptr) writer_.check_required(*table, OptionSource::config, plugin, path);
    std::string text = "{";
    for (const Child& child : plugin.children) {
      if (table != nullptr) {
        writer_.check_key(*table, OptionSource::config, options::Neighbours::plugin, plugin, child,
                          path);
      }
      append_member(text, child.key, member(plugin, table, child, path));
    }
    return text + '}';
  }

 private:
  /// Of the type that an object names; nullptr: nobody knows it.
  const OptionTable* table_of(const Node& object, const std::string& path, bool is_ipam) {
    const Child* type = find_field(object, "type");
    if (type == nullptr) {
      // An empty "ipam", or one without a type, is the plugin's business.
      if (!is_ipam) {
        writer_.add(
            FindingKind::wrong_value, object.position,
            fmt::format("{}: missing, the name of a plugin is needed", path_to(path, "type")),
            "each plugin object names its plugin as \"type\"");
      }
      return nullptr;
    }
    if (type->node->kind != Kind::scalar) return nullptr;
    try {
      if (!is_ipam) protocol::require_plugin_type(type->node->text, path);
    } catch (const Error& error) {
      writer_.add(FindingKind::wrong_value, type->node->position, error.msg(), error.details());
    }
    for (const TypeOptions& known : types_) {
      if (known.is_ipam != is_ipam || known.type != type->node->text) continue;
      return known.options == nullptr ? &kNoOptions : known.options;
    }
    return nullptr;
  }

  std::string member(const Node& plugin, const OptionTable* table, const Child& child,
                     const std::string& path) {
    const Node& node = *child.node;
    const std::string where = path_to(path, child.key);
    if (table != nullptr && options::find_row(*table, OptionSource::config, child.key) != nullptr) {
      return writer_.member(*table, OptionSource::config, child, path);
    }
    if (options::find_row(kPluginFields, OptionSource::config, child.key) != nullptr) {
      return writer_.member(kPluginFields, OptionSource::config, child, path);
    }
    if (table == nullptr && is_key(child, "plugins") && node.kind == Kind::sequence) {
      return members(node, where);
    }
    const bool is_section = is_key(child, "ipam") || is_key(child, "capabilities") ||
                            is_key(child, "runtimeConfig") || is_key(child, "args");
    if (!is_section || node.is_null()) return writer_.free(node);
    if (node.kind != Kind::map) {
      writer_.add_wrong(node, where, "an object", {});
      return writer_.free(node);
    }
    if (is_key(child, "ipam")) return ipam(node, where);
    if (is_key(child, "capabilities")) return capabilities(node, where);
    const Tables tables = tables_of(plugin, table, path);
    if (is_key(child, "args")) return args(tables, node, where);
    return section(tables, OptionSource::runtime_config, node, where);
  }

  /// Whose options runtimeConfig and args may have.
  struct Tables {
    const OptionTable& own;
    const OptionTable& ipam;
    [[nodiscard]] bool have(OptionSource source) const {
      return options::has_rows(own, source) || options::has_rows(ipam, source);
    }
  };
  Tables tables_of(const Node& plugin, const OptionTable* own, const std::string& path) {
    const Child* ipam = find_field(plugin, "ipam");
    const OptionTable* of_ipam = ipam == nullptr ? nullptr : table_of(*ipam->node, path, true);
    return {own == nullptr ? kNoOptions : *own, of_ipam == nullptr ? kNoOptions : *of_ipam};
  }

  std::string section(const Tables& tables, OptionSource source, const Node& map,
                      const std::string& path) {
    writer_.check_required(tables.own, source, map, path);
    std::string text = "{";
    for (const Child& child : map.children) {
      const bool is_ipams = options::find_row(tables.own, source, child.key) == nullptr &&
                            options::find_row(tables.ipam, source, child.key) != nullptr;
      const OptionTable& rows = is_ipams ? tables.ipam : tables.own;
      writer_.check_key(rows, source, options::Neighbours::many, map, child, path);
      append_member(text, child.key, writer_.member(rows, source, child, path));
    }
    return text + '}';
  }

  /// Of a list in one process, "type": "unicni".
  std::string members(const Node& list, const std::string& path) {
    std::string text = "[";
    for (std::size_t i = 0; i < list.children.size(); ++i) {
      const Node& member = *list.children[i].node;
      if (i > 0) text += ',';
      text += member.kind == Kind::map ? plugin(member, path_to(path, i)) : writer_.free(member);
    }
    return text + ']';
  }

  std::string ipam(const Node& ipam, const std::string& path) {
    const OptionTable* table = table_of(ipam, path, true);
    if (table != nullptr) writer_.check_required(*table, OptionSource::config, ipam, path);
    std::string text = "{";
    for (const Child& child : ipam.children) {
      if (table != nullptr) {
        writer_.check_key(*table, OptionSource::config, options::Neighbours::ipam, ipam, child,
                          path);
      }
      const bool is_type = is_key(child, "type");
      const OptionTable& rows = is_type ? kPluginFields : table == nullptr ? kNoOptions : *table;
      append_member(text, child.key, writer_.member(rows, OptionSource::config, child, path));
    }
    return text + '}';
  }

  std::string args(const Tables& tables, const Node& args, const std::string& path) {
    std::string text = "{";
    for (const Child& child : args.children) {
      const std::string where = path_to(path, child.key);
      const bool is_cni =
          is_key(child, "cni") && !child.node->is_null() && tables.have(OptionSource::args_cni);
      const bool is_map = child.node->kind == Kind::map;
      if (is_cni && !is_map) writer_.add_wrong(*child.node, where, "an object", {});
      append_member(text, child.key,
                    is_cni && is_map ? section(tables, OptionSource::args_cni, *child.node, where)
                                     : writer_.free(*child.node));
    }
    return text + '}';
  }

  std::string capabilities(const Node& capabilities, const std::string& path) {
    std::string text = "{";
    for (const Child& child : capabilities.children) {
      const std::string where = path_to(path, child.key);
      if (child.node->is_null()) writer_.add_wrong(*child.node, where, "true or false", {});
      append_member(text, child.key,
                    writer_.value(*kCapability.type, kCapability, *child.node, where));
    }
    return text + '}';
  }

  TypedWriter& writer_;
  std::span<const TypeOptions> types_;
};

}  // namespace

const Child* find_field(const Node& map, std::string_view key) {
  if (map.kind != Kind::map) return nullptr;
  const Child* found = map.find(key);
  if (found == nullptr) {
    for (const Child& child : map.children) {
      if (is_key(child, key)) found = &child;
    }
  }
  return found == nullptr || found->node->is_null() ? nullptr : found;
}

std::string plugin_json(TypedWriter& writer, std::span<const TypeOptions> types, const Node& plugin,
                        const std::string& path) {
  return PluginWriter(writer, types).plugin(plugin, path);
}

}  // namespace unicni::document
