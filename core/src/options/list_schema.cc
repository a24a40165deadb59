#include "options/list_schema.h"

#include <nlohmann/json.hpp>

#include "options/schema.h"
#include "protocol/version.h"

namespace unicni::options {
namespace {

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

/// A plugin object, which its type's schema describes further; of other makers' nobody knows more.
ordered_json plugin(std::span<const SchemaModule> modules) {
  auto rules = ordered_json::array();
  for (const SchemaModule& module : modules) {
    ordered_json type = {{"properties", {{"type", {{"const", module.name}}}}},
                         {"required", {"type"}}};
    ordered_json condition =
        module.is_ipam
            ? ordered_json{{"properties", {{"ipam", std::move(type)}}}, {"required", {"ipam"}}}
            : std::move(type);
    rules.push_back(
        {{"if", std::move(condition)}, {"then", {{"$ref", std::string(module.name) + ".json"}}}});
  }
  return {{"type", "object"},
          {"properties", {{"type", described("the plugin", typed("string"))}}},
          {"required", {"type"}},
          {"allOf", std::move(rules)}};
}

ordered_json texts() {
  return {{"anyOf", {typed("string"), {{"type", "array"}, {"items", typed("string")}}}}};
}

/// A text or a list of texts, or of numbers as hostPort has them.
ordered_json values() {
  ordered_json one = {{"type", {"string", "integer", "boolean"}}};
  return {{"anyOf", {one, {{"type", "array"}, {"items", one}}}}};
}

ordered_json range() {
  const ordered_json size = {
      {"anyOf", {typed("integer"), {{"type", "string"}, {"pattern", "^[0-9_]+([kKMGT]i?)?$"}}}}};
  return {{"type", "object"},
          {"properties", {{"min", size}, {"max", size}}},
          {"additionalProperties", false},
          {"minProperties", 1}};
}

/// Keys of all modules' configurations, with what the first that has one says of it.
ordered_json option_keys(std::span<const SchemaModule> modules, const ordered_json& schema) {
  ordered_json keys = ordered_json::object();
  for (const SchemaModule& module : modules) {
    if (module.options == nullptr) continue;
    for (const Option& row : std::span(module.options->rows, module.options->count)) {
      if (row.source != OptionSource::config || keys.contains(row.key)) continue;
      keys[row.key] = described(row.doc, schema);
    }
  }
  return keys;
}

ordered_json limits(std::span<const SchemaModule> modules) {
  const ordered_json either = {{"anyOf", {range(), values()}}};
  ordered_json keys = option_keys(modules, either);
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
  return {{"type", "object"},
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

ordered_json rule(std::span<const SchemaModule> modules) {
  const ordered_json options = {{"type", "object"},
                                {"properties", option_keys(modules, ordered_json::object())}};
  const ordered_json plugins = {{"type", "array"}, {"items", plugin(modules)}};
  return {{"type", "object"},
          {"properties",
           {{"name", described("what messages call the rule", typed("string"))},
            {"match", described("which requests the rule is about; all keys must match", match())},
            {"deny", described("the text of the refusal", typed("string"))},
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
        {"plugins", described("the plugins, in their order",
                              {{"type", "array"}, {"minItems", 1}, {"items", plugin(modules)}})}}},
      {"patternProperties", anchors()},
      {"required", {"plugins"}}};
  return schema.dump(2) + '\n';
}

std::string policy_schema(std::span<const SchemaModule> modules) {
  const ordered_json of_modules = {
      {"type", "object"},
      {"properties",
       {{"allow", described("types that may serve; absent: all", texts())},
        {"deny", described("types that may not", texts())},
        {"exec", described("which programs of other makers may serve",
                           {{"enum", {"never", "listed", "fallback"}}})}}},
      {"additionalProperties", false},
      {"patternProperties", anchors()}};
  const ordered_json schema = {
      {"$schema", kDraft},
      {"title", "policies"},
      {"type", "object"},
      {"properties",
       {{"rules", described("in their order", {{"type", "array"}, {"items", rule(modules)}})},
        {"modules", of_modules}}},
      {"additionalProperties", false},
      {"patternProperties", anchors()}};
  return schema.dump(2) + '\n';
}

}  // namespace unicni::options
