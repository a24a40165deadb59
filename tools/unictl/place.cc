#include "place.h"

#include <fmt/core.h>

#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "app/own_place.h"
#include "unicni/error.h"

namespace unicni::unictl {
namespace {

/// As the settings and this host's folders are named: absolute, without '/' at the end.
std::string full_path(const std::string& given) {
  std::string folder = std::filesystem::absolute(given).lexically_normal();
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  return folder;
}

}  // namespace

std::string resolved(const std::string& path) {
  std::error_code error;
  const auto real = std::filesystem::canonical(path, error);
  return error ? path : real.string();
}

void PlaceOptions::declare(app::Options& options) {
  options.value(settings_, "--settings", "FOLDER",
                "Read chains and policies of this folder instead of /etc/unicni. Without --run "
                "nothing of them is kept, so that this host goes on by its own");
  options.value(run_, "--run", "FOLDER",
                "Keep what goes with the boot in this folder instead of /run/unicni");
  options.value(executable_, "--executable", "FILE",
                "The executable unicni whose modules count; without it, the one that is installed "
                "with unictl");
}

Folders PlaceOptions::folders() const {
  Folders folders;
  if (settings_) folders.settings = full_path(*settings_);
  if (run_) folders.run = full_path(*run_);
  return folders;
}

settings::Keep PlaceOptions::keep() const {
  const bool is_a_try = !run_ && (settings_ || executable_);
  return is_a_try ? settings::Keep::nothing : settings::Keep::entries;
}

void PlaceOptions::require_settings() const {
  std::error_code error;
  if (!settings_ || std::filesystem::is_directory(*settings_, error)) return;
  throw Error(Code::invalid_config, fmt::format("there is no folder {}", *settings_),
              "--settings is for a folder with chains and policy.d in it");
}

module::Locations PlaceOptions::locations() const {
  module::Locations where;
  where.executable = resolved(executable_.value_or(app::own_executable()));
  where.modules = module::module_folders(where.executable, {});
  const char* path = std::getenv("CNI_PATH");
  std::string_view rest = path == nullptr ? "" : path;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    if (end > 0) where.cni_path.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return where;
}

}  // namespace unicni::unictl
