#include "config.h"

#include <fmt/core.h>

#include "unicni/error.h"

namespace unicni::flannel {

namespace {

constexpr Option kRows[] = {
    option<&FlannelOptions::subnet_file>("subnetFile", "file of flanneld that names the subnets")
        .with_default("/run/flannel/subnet.env"),
    option<&FlannelOptions::data_dir>("dataDir", "folder of the delegates' configurations")
        .with_default("/var/lib/cni/flannel"),
    option<&FlannelOptions::delegate>(
        "delegate", "configuration of the plugin that makes the interface, without name and ipam"),
    option<&FlannelOptions::ipam>("ipam",
                                  "configuration of the delegate's IPAM; its ranges are flannel's"),
    option<&FlannelOptions::runtime_config>("runtimeConfig",
                                            "what capabilities give; the delegate gets all of it"),
};

void require_clean(const char* key, const std::string& path) {
  if (is_clean(path)) return;
  throw Error(Code::invalid_config, fmt::format("{}: \"{}\" is no absolute path", key, path),
              "begin it with / and leave out ..");
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
    throw Error(Code::invalid_config, "ipam.type: a string is expected");
  }
  if (const std::string* routes = options.ipam ? options.ipam->find("routes") : nullptr;
      routes != nullptr && *routes != "null" && !json_elements(*routes)) {
    throw Error(Code::invalid_config, "ipam.routes: a list is expected");
  }
  if (!options.delegate) return;
  const JsonObject& delegate = *options.delegate;
  if (delegate.find("type") != nullptr && !delegate.find_string("type")) {
    throw Error(Code::invalid_config,
                "'delegate' dictionary, if present, must have (string) 'type' field",
                "leave it out for bridge");
  }
  for (const char* key : {"name", "ipam"}) {
    if (delegate.find(key) == nullptr) continue;
    throw Error(
        Code::invalid_config,
        fmt::format("'delegate' dictionary must not have '{}' field, it'll be set by flannel", key),
        std::string_view(key) == "ipam" ? "write \"ipam\" beside \"delegate\""
                                        : "the network's name is the delegate's");
  }
  if (delegate.find_string("type") == "flannel") {
    throw Error(Code::invalid_config, "'delegate' has type flannel: it can't delegate to itself");
  }
}

}  // namespace unicni::flannel
