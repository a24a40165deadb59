#include "config.h"

#include <fmt/core.h>

#include "unicni/error.h"

namespace unicni::flannel {

namespace {

constexpr Option kRows[] = {
    option<&FlannelOptions::subnet_file>(
        "subnetFile", "file in which flanneld describes the node's subnets, MTU and masquerade")
        .with_default("/run/flannel/subnet.env"),
    option<&FlannelOptions::data_dir>(
        "dataDir", "folder in which each delegate's configuration is kept until DEL")
        .with_default("/var/lib/cni/flannel"),
    option<&FlannelOptions::delegate>(
        "delegate",
        "configuration of the plugin that creates the interface, without \"name\" and \"ipam\""),
    option<&FlannelOptions::ipam>(
        "ipam",
        "IPAM configuration for the delegate; flannel sets its \"ranges\" to the node's subnets"),
    option<&FlannelOptions::runtime_config>(
        "runtimeConfig", "values of the runtime's capabilities, passed to the delegate unchanged"),
};

void require_clean(const char* key, const std::string& path) {
  if (is_clean(path)) return;
  throw Error(Code::invalid_config, fmt::format("{}: \"{}\" is no absolute path", key, path),
              "write an absolute path without \"..\"");
}

}  // namespace

constinit const OptionTable kFlannelOptions = option_table<FlannelOptions>(kRows);

bool is_clean(const std::string& path) {
  return path.starts_with('/') && (path + '/').find("/../") == std::string::npos &&
         path.find('\0') == std::string::npos;
}

void require_valid(const FlannelOptions& options) {
  require_clean("subnetFile", options.subnet_file);
  require_clean("dataDir", options.data_dir);
  if (options.ipam && options.ipam->find("type") && !options.ipam->find_string("type")) {
    throw Error(Code::invalid_config, "ipam.type: a string is expected",
                "write the name of an IPAM plugin, such as \"host-local\"");
  }
  if (const std::string* routes = options.ipam ? options.ipam->find("routes") : nullptr;
      routes != nullptr && *routes != "null" && !json_elements(*routes)) {
    throw Error(Code::invalid_config, "ipam.routes: a list is expected",
                "write it as [{\"dst\": \"192.0.2.0/24\"}]");
  }
  if (!options.delegate) return;
  const JsonObject& delegate = *options.delegate;
  if (delegate.find("type") != nullptr && !delegate.find_string("type")) {
    throw Error(Code::invalid_config,
                "'delegate' dictionary, if present, must have (string) 'type' field",
                "set delegate.type to the name of a plugin, or leave it out for bridge");
  }
  for (const char* key : {"name", "ipam"}) {
    if (delegate.find(key) == nullptr) continue;
    throw Error(
        Code::invalid_config,
        fmt::format("'delegate' dictionary must not have '{}' field, it'll be set by flannel", key),
        std::string_view(key) == "ipam"
            ? "move \"ipam\" out of \"delegate\", beside it"
            : "remove \"name\" from \"delegate\": flannel gives the delegate the network's name");
  }
  if (delegate.find_string("type") == "flannel") {
    throw Error(Code::invalid_config, "'delegate' has type flannel: it can't delegate to itself",
                "set delegate.type to a plugin that makes an interface, such as \"bridge\"");
  }
}

}  // namespace unicni::flannel
