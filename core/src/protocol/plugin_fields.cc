#include "protocol/plugin_fields.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "protocol/document.h"
#include "unicni/error.h"

namespace unicni::protocol {

using Json = nlohmann::ordered_json;

std::vector<std::string> enabled_capabilities(const Json& plugin, std::string_view where) {
  std::vector<std::string> enabled;
  const Json* capabilities = find_field(plugin, "capabilities");
  if (capabilities == nullptr) return enabled;
  const auto refuse = [&](std::string_view key, const Json& value) {
    throw Error(Code::invalid_config,
                fmt::format("{}.{} is of type {}", where, key, kind_of(value)),
                "\"capabilities\" is an object of booleans");
  };
  if (!capabilities->is_object()) refuse("capabilities", *capabilities);
  for (const auto& [key, value] : capabilities->get_ref<const Json::object_t&>()) {
    if (!value.is_boolean()) refuse("capabilities." + key, value);
    if (value.get<bool>()) enabled.push_back(key);
  }
  return enabled;
}

bool is_plugin_type(std::string_view type) {
  return !type.empty() && type.find('/') == std::string_view::npos &&
         type.find('\0') == std::string_view::npos && type != "." && type != "..";
}

void require_plugin_type(std::string_view type, std::string_view where) {
  if (is_plugin_type(type)) return;
  throw Error(Code::invalid_config, fmt::format("{}.type is {}", where, quote(type)),
              "the name of a plugin is expected, which is not empty and has no /");
}

bool is_written_by_runtime(std::string_view key) {
  return same_letters(key, "prevResult") || same_letters(key, "runtimeConfig") ||
         key.starts_with("cni.dev/");
}

std::string not_passed_on(std::string_view where, std::string_view key) {
  return fmt::format("{}.{} is not passed on, the runtime writes that key", where, quote(key));
}

}  // namespace unicni::protocol
