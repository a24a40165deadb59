#include "option_docs/list_schema.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "option_docs/schema.h"
#include "options/size_unit.h"
#include "protocol/version.h"

namespace unicni::option_docs {
namespace {

using options::kSizeUnits;
using options::SizeUnit;

using nlohmann::ordered_json;

constexpr const char* kDraft = "https://json-schema.org/draft/2020-12/schema";
constexpr const char* kName = "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$";

ordered_json described(const char* description, ordered_json schema) {
  ordered_json all = {{"description", description}};
  all.update(schema);
  return all;
}

ordered_json typed(const char* type) { return {{"type", type}}; }

/// Places for YAML's anchors.
ordered_json anchors() { return {{"^x-", ordered_json::object()}}; }

/// Units that a number from 1 to `highest` may have; "": none.
std::string units_up_to(std::int64_t highest) {
  std::string units;
  for (const SizeUnit& unit : kSizeUnits) {
    if (unit.factor > highest) continue;
    units.append(units.empty() ? "" : "|").append(unit.suffix);
  }
  return units;
}

constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();
constexpr const char* kDigits = "[1-9](_?[0-9])*";

/// A text with a unit in place of an integer of these bounds. 70k where 65535 is the highest, and
/// 1k where 1500 is the lowest, are for the reader to refuse.
std::string size_pattern(std::int64_t lowest, std::int64_t highest) {
  std::string pattern;
  if (lowest <= 0) pattern += "^0(" + units_up_to(kHighest) + ")$";
  const std::string units = units_up_to(highest);
  if (units.empty()) return pattern;
  return pattern + (pattern.empty() ? "^" : "|^") + kDigits + '(' + units + ")$";
}

/// Lets every integer inside `schema` be a text with a unit as well.
void allow_units(ordered_json& schema) {
  for (ordered_json& inner : schema) {
    if (inner.is_structured()) allow_units(inner);
  }
  if (!schema.is_object() || !schema.contains("type")) return;
  ordered_json& type = schema["type"];
  if (type == "integer") type = ordered_json::array({"integer"});
  if (!type.is_array() || type.front() != "integer") return;
  const std::string pattern =
      size_pattern(schema.value("minimum", std::numeric_limits<std::int64_t>::min()),
                   schema.value("maximum", kHighest));
  if (pattern.empty()) return;
  type.push_back("string");
  schema["pattern"] = pattern;
  if (!schema.contains("maximum")) schema["maximum"] = kHighest;
}

/// Of all modules, each with units.
ordered_json modules_with_units(std::span<const SchemaModule> modules) {
  constexpr OptionTable kNoOptions{nullptr, 0, nullptr, nullptr};
  ordered_json all = ordered_json::object();
  for (const SchemaModule& module : modules) {
    const OptionTable& table = module.options == nullptr ? kNoOptions : *module.options;
    ordered_json& schema = all[module.name] =
        ordered_json::parse(json_schema(module.name, table, module.is_ipam));
    schema.erase("$schema");
    allow_units(schema);
  }
  return all;
}

/// A plugin object, which its type's schema, at `before` NAME `behind`, describes further; of other
/// makers' nobody knows more.
ordered_json plugin(std::span<const SchemaModule> modules, const std::string& before,
                    const std::string& behind) {
  auto rules = ordered_json::array();
  for (const SchemaModule& module : modules) {
    ordered_json type = {{"properties", {{"type", {{"const", module.name}}}}},
                         {"required", {"type"}}};
    ordered_json condition =
        module.is_ipam
            ? ordered_json{{"properties", {{"ipam", std::move(type)}}}, {"required", {"ipam"}}}
            : std::move(type);
    rules.push_back(
        {{"if", std::move(condition)}, {"then", {{"$ref", before + module.name + behind}}}});
  }
  return {{"type", "object"},
          {"properties", {{"type", described("the plugin", typed("string"))}}},
          {"required", {"type"}},
          {"allOf", std::move(rules)}};
}

/// A text or a list of texts; a number or a boolean is a text as it is written.
ordered_json texts() {
  const ordered_json one = {{"type", {"string", "number", "boolean"}}};
  return {{"anyOf", {one, {{"type", "array"}, {"items", one}}}}};
}

/// A boolean or a list of them, by any of YAML's words; "*" is both.
ordered_json booleans() {
  ordered_json words = {true, false, "*"};
  for (std::string word : {"true", "false", "yes", "no", "on", "off"}) {
    words.push_back(word);
    std::ranges::transform(word, word.begin(), [](char c) { return static_cast<char>(c - 32); });
    words.push_back(word);
    std::ranges::transform(word.begin() + 1, word.end(), word.begin() + 1,
                           [](char c) { return static_cast<char>(c + 32); });
    words.push_back(word);
  }
  const ordered_json one = {{"enum", std::move(words)}};
  return {{"anyOf", {one, {{"type", "array"}, {"items", one}}}}};
}

ordered_json range() {
  const ordered_json size = {
      {"type", {"integer", "string"}},
      {"minimum", 0},
      {"maximum", kHighest},
      {"pattern", std::string("^(0|") + kDigits + ")(" + units_up_to(kHighest) + ")?$"}};
  return {{"type", "object"},
          {"properties", {{"min", size}, {"max", size}}},
          {"additionalProperties", false},
          {"patternProperties", anchors()},
          {"minProperties", 1}};
}

/// Calls `visit` with all rows of the modules' configurations.
template <class Visit>
void for_each_key(std::span<const SchemaModule> modules, const Visit& visit) {
  for (const SchemaModule& module : modules) {
    if (module.options == nullptr) continue;
    for (const Option& row : std::span(module.options->rows, module.options->count)) {
      if (row.source == OptionSource::config) visit(row);
    }
  }
}

/// Keys of all modules' configurations, with what the first that has one says of it.
ordered_json option_keys(std::span<const SchemaModule> modules, const ordered_json& schema) {
  ordered_json keys = ordered_json::object();
  for_each_key(modules, [&](const Option& row) {
    if (!keys.contains(row.key)) keys[row.key] = described(row.doc, schema);
  });
  return keys;
}

ordered_json limits(std::span<const SchemaModule> modules) {
  const ordered_json either = {{"anyOf", {range(), texts()}}};
  ordered_json keys = option_keys(modules, texts());
  std::map<std::string_view, bool> are_boolean;  // in all modules
  for_each_key(modules, [&](const Option& row) {
    const bool is_boolean = row.type->kind == ValueKind::boolean;
    auto& all = are_boolean.try_emplace(row.key, true).first->second;
    all = all && is_boolean;
  });
  for (const auto& [key, is_boolean] : are_boolean) {
    if (is_boolean) keys[std::string(key)].update(booleans());
  }
  for_each_key(modules, [&](const Option& row) {
    if (row.type->kind == ValueKind::integer) keys[row.key].update(either);
  });
  const auto put = [&](const char* key, const char* doc, const ordered_json& schema) {
    keys[key] = described(doc, schema);
  };
  put("mtu", "MTU in bytes", either);
  put("master", "parent link; a missing one is the link of the default route", texts());
  put("hostPort", "published port of the host", either);
  put("hostIP", "address of the host at which a port is published; a missing one is all of them",
      texts());
  put("sysctl", "sysctls that may be set, in dots", texts());
  put("egressRate", "rate in bit/s from the container; a missing one is unlimited", range());
  put("ingressRate", "rate in bit/s to the container; a missing one is unlimited", range());
  return {{"type", "object"}, {"properties", std::move(keys)}};
}

ordered_json match() {
  const ordered_json labels = {{"type", "object"}, {"additionalProperties", texts()}};
  return {{"type", {"object", "null"}},
          {"properties",
           {{"network", described("the network's name", texts())},
            {"type", described("type of a member or of its IPAM", texts())},
            {"namespace", described("K8S_POD_NAMESPACE of CNI_ARGS", texts())},
            {"pod", described("K8S_POD_NAME of CNI_ARGS", texts())},
            {"interface", described("CNI_IFNAME", texts())},
            {"labels", described("args.cni.labels, else args.labels", labels)},
            {"onMissing", described("what an absent namespace, pod or label does",
                                    {{"enum", {"deny", "ignore"}}})}}},
          {"additionalProperties", false},
          {"patternProperties", anchors()}};
}

/// A list can't be added to a list, and folders aren't plugins.
constexpr std::array<const char*, 3> kNoAdditions = {"unicni", ".", ".."};

ordered_json rule(std::span<const SchemaModule> modules) {
  const ordered_json options = {{"type", "object"},
                                {"properties", option_keys(modules, ordered_json::object())}};
  ordered_json addition = plugin(modules, "#/$defs/", "");
  addition["properties"]["type"].update(
      {{"pattern", "^[^/]+$"}, {"not", {{"enum", kNoAdditions}}}});
  const ordered_json plugins = {{"type", "array"}, {"items", std::move(addition)}};
  return {{"type", "object"},
          {"properties",
           {{"name",
             described("what messages call the rule", {{"type", {"string", "number", "boolean"}}})},
            {"match", described("which requests the rule is about; all keys must match", match())},
            {"deny", described("the text of the refusal", {{"type", "string"}, {"minLength", 1}})},
            {"defaults", described("options where the netconf is silent", options)},
            {"override", described("options that are always so", options)},
            {"prepend", described("plugins before the list's", plugins)},
            {"append", described("plugins behind the list's", plugins)},
            {"require", described("what is allowed; else ADD fails", limits(modules))},
            {"onMissing", {{"enum", {"deny", "ignore"}}}}}},
          {"additionalProperties", false},
          {"patternProperties", anchors()}};
}

}  // namespace

std::string chain_schema(std::span<const SchemaModule> modules) {
  auto versions = ordered_json::array();
  for (const std::string_view version : protocol::kSpecVersions) versions.push_back(version);
  const ordered_json schema = {
      {"$schema", kDraft},
      {"title", "a chain of plugins"},
      {"type", "object"},
      {"properties",
       {{"name",
         described("the network: the file's name", {{"type", "string"}, {"pattern", kName}})},
        {"cniVersion", described("version of the CNI spec", {{"enum", versions}})},
        {"cniVersions",
         described("versions of the CNI spec", {{"type", "array"}, {"items", typed("string")}})},
        {"disableCheck", described("CHECK does nothing", typed("boolean"))},
        {"disableGC", described("GC does nothing", typed("boolean"))},
        {"loadOnlyInlinedPlugins", described("no drop-ins", typed("boolean"))},
        {"plugins",
         described(
             "the plugins, in their order",
             {{"type", "array"}, {"minItems", 1}, {"items", plugin(modules, "", ".json")}})}}},
      {"patternProperties", anchors()},
      {"required", {"plugins"}}};
  return schema.dump(2) + '\n';
}

std::string policy_schema(std::span<const SchemaModule> modules) {
  const ordered_json of_modules = {
      {"type", {"object", "null"}},
      {"properties",
       {{"allow", described("types that may serve; absent: all", texts())},
        {"deny", described("types that may not", texts())},
        {"exec", described("which programs of other makers may serve",
                           {{"enum", {"never", "listed", "fallback"}}})}}},
      {"additionalProperties", false},
      {"patternProperties", anchors()}};
  const ordered_json schema = {{"$schema", kDraft},
                               {"title", "policies"},
                               {"type", "object"},
                               {"properties",
                                {{"rules", described("in their order", {{"type", {"array", "null"}},
                                                                        {"items", rule(modules)}})},
                                 {"modules", of_modules}}},
                               {"additionalProperties", false},
                               {"patternProperties", anchors()},
                               {"$defs", modules_with_units(modules)}};
  return schema.dump(2) + '\n';
}

}  // namespace unicni::option_docs
