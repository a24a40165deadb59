#include "protocol/version_reply.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "protocol/document.h"
#include "protocol/version.h"

namespace unicni::protocol {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(std::string_view why) {
  throw Error(Code::decode, fmt::format("cannot decode the answer to VERSION: {}", why),
              "an object with \"cniVersion\" and \"supportedVersions\" is expected");
}

}  // namespace

std::string make_version_request() {
  return fmt::format("{{\"cniVersion\":\"{}\"}}", version_text(kNewest));
}

std::vector<std::string> parse_version_reply(std::string_view out) {
  const Json json = parse_document(out, "the answer to VERSION");
  if (!json.is_object()) refuse(fmt::format("it is of type {}", kind_of(json)));
  const Json* version = find_field(json, "cniVersion");
  if (version == nullptr || !version->is_string() ||
      version->get_ref<const std::string&>().empty()) {
    refuse("\"cniVersion\" is missing");
  }
  const Json* list = find_field(json, "supportedVersions");
  if (list != nullptr && !list->is_array()) {
    refuse(fmt::format("\"supportedVersions\" is {}", shown(*list)));
  }
  if (list == nullptr || list->empty()) {
    if (version->get_ref<const std::string&>() == "0.2.0") return {"0.1.0", "0.2.0"};
    refuse("\"supportedVersions\" is missing");
  }
  std::vector<std::string> versions;
  for (const Json& element : *list) {
    if (!element.is_string()) refuse(fmt::format("a supported version is {}", shown(element)));
    versions.push_back(element.get<std::string>());
  }
  return versions;
}

std::vector<std::string> versions_behind(const Error& error) {
  const bool is_old = error.msg() == "unknown CNI_COMMAND: VERSION" && error.details().empty();
  if (!is_old) throw Error(error);
  return {"0.1.0"};
}

}  // namespace unicni::protocol
