#include "runtime_options.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/shell_word.h"
#include "environment.h"
#include "module/registry.h"
#include "unicni/error.h"

namespace unicni::cnitool {
namespace {

/// As for the reference: a regular file that somebody may execute.
bool is_in(const std::vector<std::string>& folders, const std::string& name) {
  return std::any_of(folders.begin(), folders.end(), [&](const std::string& folder) {
    struct stat file {};
    return ::stat((folder + '/' + name).c_str(), &file) == 0 && S_ISREG(file.st_mode) &&
           (file.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
  });
}

}  // namespace

RuntimeOptions runtime_options(Isolation isolation) {
  RuntimeOptions options;
  options.network_folder = network_folder();
  if (auto folders = plugin_folders(); !folders.empty()) options.plugin_folders = folders;
  options.isolation = isolation;
  return options;
}

/// The runtime itself would take the modules that are installed with cnitool for what isn't there.
/// Whoever calls plugins by hand may be looking for the reason why a runtime finds none.
void require_plugins(const NetworkConfig& network) {
  const auto folders = plugin_folders();
  if (folders.empty()) {
    throw Error(Code::invalid_environment, "no paths provided: CNI_PATH is not set",
                "set CNI_PATH to the folders of the plugins, as /opt/cni/bin, with : between them");
  }
  if (is_in(folders, "unicni")) return;  // which has them all
  std::string searched;
  for (const std::string& folder : folders) searched += (searched.empty() ? "" : " ") + folder;
  for (const std::string& type : network.types()) {
    if (is_in(folders, type)) continue;
    const std::string passed_over = module::find_not_executable(
        type, {}, {.executable = {}, .modules = {}, .cni_path = folders});
    if (!passed_over.empty()) {
      throw Error(Code::invalid_config,
                  fmt::format("{}: failed to find plugin \"{}\" in path [{}]: {} isn't executable",
                              type, type, searched, passed_over),
                  "chmod +x " + shell_word(passed_over));
    }
    throw Error(Code::invalid_config,
                fmt::format("{}: failed to find plugin \"{}\" in path [{}]", type, type, searched),
                "correct \"type\", or install the plugin into a folder of CNI_PATH");
  }
}

}  // namespace unicni::cnitool
