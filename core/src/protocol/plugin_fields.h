// What a list's plugin object says of itself, whoever reads the list: chain or runtime.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace unicni::protocol {

/// The type of a plugin object that is a list of its own, served by one process.
inline constexpr const char* kListType = "unicni";

/// The keys that "capabilities" has as true. Error(invalid_config) unless it is an object of
/// booleans; `where` names the plugin object, as in "plugins"[2].
std::vector<std::string> enabled_capabilities(const nlohmann::ordered_json& plugin,
                                              std::string_view where);
/// Whether a type can be a file's name: not empty, not "." or "..", without '/' and NUL (CONF-19).
bool is_plugin_type(std::string_view type);
/// Error(invalid_config) unless it can.
void require_plugin_type(std::string_view type, std::string_view where);
/// Whether a plugin object's key is the runtime's to write: what the file has there isn't passed
/// on (CONF-21, PREV-01).
bool is_written_by_runtime(std::string_view key);
/// The warning of such a key in the plugin object that `where` names.
std::string not_passed_on(std::string_view where, std::string_view key);

}  // namespace unicni::protocol
