#include "runtime_options.h"

#include <filesystem>

#include "app/own_place.h"
#include "environment.h"
#include "unicni/error.h"

namespace unicni::cnitool {
namespace {

bool has_executable(const std::vector<std::string>& folders) {
  for (const std::string& folder : folders) {
    std::error_code error;
    if (std::filesystem::is_regular_file(folder + "/unicni", error)) return true;
  }
  return false;
}

}  // namespace

/// Plugins as processes are what CNI_PATH has and nothing else, as somebody may be looking for the
/// reason why a runtime finds none. In the process the modules are needed, which CNI_PATH may have
/// by links of their names alone.
RuntimeOptions runtime_options(Isolation isolation) {
  RuntimeOptions options;
  options.network_folder = network_folder();
  if (auto folders = plugin_folders(); !folders.empty()) options.plugin_folders = folders;
  options.isolation = isolation;
  if (isolation == Isolation::in_process && !has_executable(options.plugin_folders)) {
    const std::string own = app::own_executable();
    std::error_code error;
    if (std::filesystem::is_regular_file(own, error)) options.executable = own;
  }
  return options;
}

void require_plugin_folders() {
  if (!plugin_folders().empty()) return;
  throw Error(Code::invalid_environment, "no paths provided: CNI_PATH is not set",
              "set CNI_PATH to the folders of the plugins, as /opt/cni/bin, with : between them");
}

}  // namespace unicni::cnitool
