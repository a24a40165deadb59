#include "protocol/netconf_document.h"

#include <fmt/core.h>

#include "protocol/document.h"
#include "protocol/version.h"
#include "unicni/error.h"

namespace unicni::protocol {

using Json = nlohmann::ordered_json;

namespace {

std::string get_text(const Json& object, std::string_view what, std::string_view key) {
  const Json* value = find_field(object, key);
  if (value == nullptr) return {};
  if (!value->is_string()) refuse(what, key, *value, "a string");
  return value->get_ref<const std::string&>();
}

}  // namespace

void refuse(std::string_view what, std::string_view key, const Json& value,
            std::string_view expected) {
  throw Error(Code::decode,
              fmt::format("cannot decode {}: \"{}\" is of type {}", what, key, kind_of(value)),
              fmt::format("{} is expected", expected));
}

/// Types of the keys that every plugin has are checked here once. What is inside "ipam" and the
/// like is for the option tables.
void Netconf::Document::read_fields(std::string_view what) {
  constexpr std::array<std::string_view, 5> objects = {"ipam", "dns", "args", "runtimeConfig",
                                                       "prevResult"};
  version = get_text(*tree, what, "cniVersion");
  if (version.empty()) version = version_text(SpecVersion::v0_1_0);
  name = get_text(*tree, what, "name");
  type = get_text(*tree, what, "type");
  for (const std::string_view key : objects) {
    const Json* value = find_field(*tree, key);
    if (value != nullptr && !value->is_object()) refuse(what, key, *value, "an object");
  }
  ipam_type.clear();
  if (const Json* ipam = find_field(*tree, "ipam")) ipam_type = get_text(*ipam, what, "type");
}

}  // namespace unicni::protocol
