#include "protocol/network_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "protocol/comments.h"
#include "protocol/document.h"
#include "protocol/name.h"
#include "protocol/netconf.h"
#include "protocol/plugin_fields.h"
#include "protocol/request.h"
#include "protocol/version.h"
#include "unicni/error.h"

namespace unicni::protocol {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 7> kListKeys = {
    "name",   "cniVersion", "cniVersions", "disableCheck", "disableGC", "loadOnlyInlinedPlugins",
    "plugins"};

[[noreturn]] void refuse(std::string_view key, const Json& value, std::string_view expected) {
  throw Error(Code::invalid_config, fmt::format("{} is {}", key, shown(value)),
              fmt::format("{} is expected", expected));
}

/// `read` with `source` in front of what it refuses.
template <class Read>
auto from_source(const std::string& source, Read read) {
  try {
    return read();
  } catch (Error& error) {
    throw error.in_step(source);
  }
}

struct Document {
  std::string text;
  Json tree;
};

Document read_object(std::string_view bytes) {
  if (bytes.size() > kListFileLimit) {
    throw Error(Code::decode, fmt::format("a configuration of {} bytes is too large", bytes.size()),
                fmt::format("{} bytes are allowed", kListFileLimit));
  }
  Document document{without_comments(bytes), {}};
  document.tree = parse_document(document.text, "the configuration");
  if (!document.tree.is_object()) {
    throw Error(Code::decode,
                fmt::format("the configuration is of type {}", kind_of(document.tree)),
                "one JSON object is expected");
  }
  return document;
}

bool get_flag(const Json& list, std::string_view key) {
  const Json* value = find_exact(list, key);
  if (value == nullptr) return false;
  if (value->is_boolean()) return value->get<bool>();
  // 0.4.0 had disableCheck as a string.
  if (value->is_string()) {
    const auto& text = value->get_ref<const std::string&>();
    for (const bool flag : {false, true}) {
      if (same_letters(text, flag ? "true" : "false")) return flag;
    }
  }
  refuse(quote(key), *value, "true or false");
}

std::string get_name(const Json& list) {
  const Json* name = find_exact(list, "name");
  constexpr const char* kAdvice = "the network's name is expected";
  if (name == nullptr) throw Error(Code::invalid_config, "\"name\" is missing", kAdvice);
  if (!name->is_string() || name->get_ref<const std::string&>().empty()) {
    refuse("\"name\"", *name, "the network's name, a string that is not empty,");
  }
  return name->get<std::string>();
}

std::string get_version(const Json& list) {
  const Json* own = find_exact(list, "cniVersion");
  if (own != nullptr && !own->is_string()) refuse("\"cniVersion\"", *own, "a string");
  std::string version = own == nullptr ? std::string() : own->get<std::string>();
  const Json* versions = find_exact(list, "cniVersions");
  if (versions == nullptr) return version;

  if (!versions->is_array()) refuse("\"cniVersions\"", *versions, "a list of versions");
  std::optional<SpecVersion> newest = find_version(version);
  std::optional<VersionParts> newest_unknown;
  std::string unknown;
  for (std::size_t i = 0; i < versions->size(); ++i) {
    const Json& element = (*versions)[i];
    const auto parts =
        element.is_string() ? version_parts(element.get_ref<const std::string&>()) : std::nullopt;
    if (!parts) refuse(fmt::format("\"cniVersions\"[{}]", i), element, "a version as 1.0.0");
    const auto known = find_version(element.get_ref<const std::string&>());
    if (known) {
      newest = std::max(newest.value_or(*known), *known);
    } else if (!newest_unknown || *parts > *newest_unknown) {
      newest_unknown = parts;
      unknown = element.get<std::string>();
    }
  }
  if (own != nullptr && !version.empty() && !version_parts(version)) {
    refuse("\"cniVersion\"", *own, "a version as 1.0.0");
  }
  if (newest) return std::string(version_text(*newest));
  return version.empty() ? unknown : version;
}

/// Keys that say nothing because of their letter case, and keys that the runtime overwrites.
void warn_of_keys(const Json& list, NetworkList& into) {
  for (const auto& [key, value] : list.get_ref<const Json::object_t&>()) {
    for (const std::string_view known : kListKeys) {
      if (key == known || !same_letters(key, known)) continue;
      into.warnings.push_back(fmt::format("{}: {} says nothing, the key is written {}", into.source,
                                          quote(key), quote(known)));
    }
  }
}

/// Whoever hands the member on needn't say it again: its text is without them.
void drop_runtime_keys(ListMember& member, const std::string& source,
                       std::vector<std::string>& warnings) {
  std::string kept = "{";
  bool has_dropped = false;
  for (const RawMember& field : split_object(member.text)) {
    if (!is_written_by_runtime(field.key)) {
      kept.append(kept.size() > 1 ? "," : "").append(field.whole);
      continue;
    }
    has_dropped = true;
    warnings.push_back(fmt::format("{}: {}", source, not_passed_on(member.source, field.key)));
  }
  if (has_dropped) member.text = kept + '}';
}

ListMember read_member(const Json& object, std::string_view text, std::string where) {
  if (!object.is_object()) refuse(where, object, "a plugin object");
  ListMember member{{}, std::string(text), {}, std::move(where)};
  const Json* type = find_field(object, "type");
  if (type == nullptr) {
    throw Error(Code::invalid_config, fmt::format("{} has no \"type\"", member.source),
                "each plugin object names its plugin as \"type\"");
  }
  if (!type->is_string()) refuse(member.source + ".type", *type, "the name of a plugin");
  member.type = type->get<std::string>();
  require_plugin_type(member.type, member.source);
  member.capabilities = enabled_capabilities(object, member.source);
  try {
    Netconf::parse(member.text);  // the rest of what every plugin would refuse
  } catch (Error& error) {
    throw error.in_step(member.source);
  }
  return member;
}

void read_members(const Document& document, NetworkList& list) {
  const Json* plugins = find_exact(document.tree, "plugins");
  constexpr const char* kExpected = "a list of at least one plugin object";
  if (plugins == nullptr) {
    if (!list.only_inlined) return;
    throw Error(Code::invalid_config,
                "\"plugins\" is missing, and \"loadOnlyInlinedPlugins\" is true",
                "plugins are expected in the list, or in files that may be loaded");
  }
  if (!plugins->is_array()) refuse("\"plugins\"", *plugins, kExpected);
  if (plugins->empty()) {
    throw Error(Code::invalid_config, "\"plugins\" is empty",
                fmt::format("{} is expected", kExpected));
  }
  const auto members = split_object(document.text);
  const auto texts = split_array(find_raw(members, "plugins")->value);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    list.members.push_back(read_member((*plugins)[i], texts[i], fmt::format("\"plugins\"[{}]", i)));
    drop_runtime_keys(list.members.back(), list.source, list.warnings);
  }
}

std::string or_first(std::string version) {
  return version.empty() ? std::string(version_text(SpecVersion::v0_1_0)) : version;
}

NetworkList read_list(Document document, const std::string& source) {
  NetworkList list;
  list.source = source;
  list.name = get_name(document.tree);
  list.cni_version = or_first(get_version(document.tree));
  list.disable_check = get_flag(document.tree, "disableCheck");
  list.disable_gc = get_flag(document.tree, "disableGC");
  list.only_inlined = get_flag(document.tree, "loadOnlyInlinedPlugins");
  warn_of_keys(document.tree, list);
  read_members(document, list);
  list.text = std::move(document.text);
  return list;
}

NetworkList read_plugin(const Document& document, const std::string& source) {
  if (find_field(document.tree, "type") == nullptr &&
      find_exact(document.tree, "plugins") != nullptr) {
    throw Error(Code::invalid_config, "\"type\" is missing, and \"plugins\" is there",
                "a list of plugins is expected in a file that ends in .conflist");
  }
  const Netconf netconf = Netconf::parse(document.text);
  NetworkList list;
  list.source = source;
  list.name = netconf.name();
  list.cni_version = netconf.cni_version();
  list.only_inlined = true;
  const std::string_view text = trimmed(document.text);
  list.members.push_back(read_member(document.tree, text, "the plugin"));
  drop_runtime_keys(list.members.back(), source, list.warnings);
  list.text = fmt::format("{{\"cniVersion\":{},\"name\":{},\"plugins\":[{}]}}",
                          quote(list.cni_version), quote(list.name), text);
  return list;
}

}  // namespace

NetworkList parse_list(std::string_view bytes, const std::string& source) {
  return from_source(source, [&] { return read_list(read_object(bytes), source); });
}

NetworkList parse_plugin(std::string_view bytes, const std::string& source) {
  return from_source(source, [&] { return read_plugin(read_object(bytes), source); });
}

NetworkList parse_network(std::string_view bytes, const std::string& source) {
  return from_source(source, [&] {
    Document document = read_object(bytes);
    const bool is_plugin = find_field(document.tree, "type") != nullptr &&
                           find_exact(document.tree, "plugins") == nullptr;
    return is_plugin ? read_plugin(document, source) : read_list(std::move(document), source);
  });
}

void add_drop_in(NetworkList& list, std::string_view bytes, const std::string& source) {
  from_source(source, [&] {
    const Document document = read_object(bytes);
    ListMember member = read_member(document.tree, trimmed(document.text), "the plugin");
    drop_runtime_keys(member, source, list.warnings);
    member.source = source;
    list.members.push_back(std::move(member));
  });
}

void require_members(const NetworkList& list) {
  if (!list.members.empty()) return;
  throw Error(Code::invalid_config,
              fmt::format("{}: network {} has no plugin", list.source, quote(list.name)),
              "plugins are expected in \"plugins\", or as *.conf in the folder that is named after "
              "the network");
}

void require_network_name(std::string_view name) {
  if (name.empty()) {
    throw Error(
        Code::invalid_config, "missing network name",
        "add \"name\" to the configuration: without one only who executes the plugin itself "
        "can use it, and no runtime");
  }
  if (valid_name(name)) return;
  throw Error(Code::invalid_config,
              fmt::format("invalid characters found in network name {}", quote(name)),
              "a letter or digit, then letters, digits and _ . - are allowed");
}

void require_network_name(const NetworkList& list) {
  from_source(list.source, [&] { require_network_name(list.name); });
}

std::vector<std::string> enabled_capabilities(const NetworkList& list) {
  std::set<std::string> all;
  for (const ListMember& member : list.members) {
    all.insert(member.capabilities.begin(), member.capabilities.end());
  }
  return {all.begin(), all.end()};
}

}  // namespace unicni::protocol
