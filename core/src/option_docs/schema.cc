#include "option_docs/schema.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "options/describe.h"
#include "options/scalar.h"
#include "protocol/version.h"

namespace unicni::option_docs {
namespace {

using options::Bounds;
using options::bounds_of;
using options::default_of;
using options::parse_boolean;

using nlohmann::ordered_json;

ordered_json typed(const char* name, bool nullable) {
  if (!nullable) return {{"type", name}};
  return {{"type", ordered_json::array({name, "null"})}};
}

/// Unknown keys are allowed, as the parser only warns of them: configurations are shared with other
/// plugins.
ordered_json object_schema(const OptionTable& table, OptionSource source, bool nullable);

void add_pattern(ordered_json& schema, const char* pattern, bool may_be_empty) {
  schema["pattern"] = may_be_empty ? fmt::format("^$|{}", pattern) : std::string(pattern);
}

/// "nothing" of a value's type: what a key that is not offered may be set to.
/// A schema refuses what the parser would refuse, and no more.
ordered_json nothing_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::boolean:
      return false;
    case ValueKind::integer:
      return 0;
    case ValueKind::list:
      return ordered_json::array();
    case ValueKind::object:
    case ValueKind::text_map:
    case ValueKind::free_object:
      return ordered_json::object();
    default:
      return "";
  }
}

ordered_json value_schema(const ValueType& type, const Option& row, bool nullable) {
  // Go's plugins take an empty text for an absent address. That is kept where a row tells absence
  // apart.
  const bool may_be_empty = type.engage != nullptr;
  ordered_json schema;
  switch (type.kind) {
    case ValueKind::boolean:
      return typed("boolean", nullable);
    case ValueKind::integer: {
      schema = typed("integer", nullable);
      const Bounds bounds = bounds_of(type, row);
      if (bounds.low != std::numeric_limits<std::int64_t>::min()) schema["minimum"] = bounds.low;
      if (bounds.high != std::numeric_limits<std::int64_t>::max()) schema["maximum"] = bounds.high;
      return schema;
    }
    case ValueKind::string:
      schema = typed("string", nullable);
      if (row.choices != nullptr) {
        auto& choices = schema["enum"] = ordered_json::array();
        for (const char* const* choice = row.choices; *choice != nullptr; ++choice)
          choices.push_back(*choice);
        if (nullable) choices.push_back(nullptr);
      }
      return schema;
    case ValueKind::ip:
      schema = typed("string", nullable);
      schema["anyOf"] = {{{"format", "ipv4"}}, {{"format", "ipv6"}}};
      if (may_be_empty) schema["anyOf"].push_back({{"const", ""}});
      return schema;
    case ValueKind::cidr:
      schema = typed("string", nullable);
      add_pattern(schema, "^[0-9A-Fa-f.:]+/[0-9]{1,3}$", false);
      return schema;
    case ValueKind::mac:
      schema = typed("string", nullable);
      add_pattern(schema,
                  "^([0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}$|^([0-9A-Fa-f]{4}\\.){2}[0-9A-Fa-f]{4}$",
                  may_be_empty);
      return schema;
    case ValueKind::list:
      schema = typed("array", nullable);
      schema["items"] = value_schema(*type.element, row, false);
      return schema;
    case ValueKind::object:
      return object_schema(*type.fields, OptionSource::config, nullable);
    case ValueKind::free_object:
      return typed("object", nullable);
    case ValueKind::text_map:
      schema = typed("object", nullable);
      schema["additionalProperties"] = {{"type", "string"}};
      return schema;
  }
  return schema;
}

/// The default as JSON; null if the row has none that a scalar can show.
ordered_json default_json(const Option& row, const OptionTable& owner) {
  const std::string text = default_of(row, owner);
  if (row.type->kind == ValueKind::boolean && !text.empty()) return parse_boolean(text) == true;
  if (row.type->kind == ValueKind::integer && !text.empty()) return ordered_json::parse(text);
  if (row.default_text != nullptr) return text;
  return nullptr;
}

ordered_json row_schema(const Option& row, const OptionTable& owner) {
  ordered_json schema = {{"description", row.offered
                                             ? std::string(row.doc)
                                             : fmt::format("{} (not offered yet)", row.doc)}};
  const ordered_json preset = default_json(row, owner);
  if (row.offered) {
    schema.update(value_schema(*row.type, row, !row.required));
  } else {
    auto& allowed = schema["enum"] = {nothing_of(row.type->kind), nullptr};
    if (!preset.is_null() && preset != allowed[0]) allowed.push_back(preset);
  }
  if (!preset.is_null()) schema["default"] = preset;
  return schema;
}

ordered_json object_schema(const OptionTable& table, OptionSource source, bool nullable) {
  ordered_json schema = typed("object", nullable);
  auto& properties = schema["properties"] = ordered_json::object();
  auto required = ordered_json::array();
  for (const Option& row : std::span(table.rows, table.count)) {
    if (row.source != source) continue;
    properties[row.key] = row_schema(row, table);
    if (row.required) required.push_back(row.key);
  }
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

/// Puts `more` before the properties of `schema`; a property that is there already stays.
void lead_with(ordered_json& schema, ordered_json more) {
  for (auto& [key, value] : schema["properties"].items()) more[key] = value;
  schema["properties"] = std::move(more);
}

void require(ordered_json& schema, const char* key) {
  auto& required = schema["required"];
  if (required.is_null()) required = ordered_json::array();
  required.insert(required.begin(), key);
}

}  // namespace

/// An IPAM module describes the object "ipam" of the plugin that asks it, not the whole.
std::string json_schema(std::string_view type, const OptionTable& table, bool ipam) {
  auto versions = ordered_json::array();
  for (const std::string_view version : protocol::kSpecVersions) versions.push_back(version);
  ordered_json own_type = {{"description", "the plugin"}, {"const", type}};

  ordered_json body = object_schema(table, OptionSource::config, false);
  if (ipam) {
    lead_with(body, {{"type", own_type}});
    require(body, "type");
    body = {{"type", "object"}, {"properties", {{"ipam", body}}}, {"required", {"ipam"}}};
  } else {
    body["properties"].erase("type");
  }
  ordered_json envelope = {
      {"cniVersion", {{"description", "version of the CNI spec"}, {"enum", versions}}},
      {"name",
       {{"description", "the network"},
        {"type", "string"},
        {"pattern", "^[a-zA-Z0-9][a-zA-Z0-9_.-]*$"}}},
      {"type", ipam ? ordered_json{{"description", "the plugin that asks this one for addresses"},
                                   {"type", "string"}}
                    : own_type},
      {"capabilities",
       {{"description", "keys of runtimeConfig to take from the runtime"},
        {"type", "object"},
        {"additionalProperties", {{"type", "boolean"}}}}},
  };
  lead_with(body, std::move(envelope));
  require(body, "type");

  const ordered_json runtime = object_schema(table, OptionSource::runtime_config, true);
  if (!runtime["properties"].empty()) body["properties"]["runtimeConfig"] = runtime;
  const ordered_json cni = object_schema(table, OptionSource::args_cni, true);
  if (!cni["properties"].empty()) {
    ordered_json args = typed("object", true);
    args["properties"]["cni"] = cni;
    body["properties"]["args"] = std::move(args);
  }
  ordered_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                         {"title", fmt::format("one plugin object of type \"{}\"", type)}};
  schema.update(body);
  return schema.dump(2) + '\n';
}

}  // namespace unicni::option_docs
