#include "module/registry.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "unicni/error.h"

namespace unicni::module {
namespace {

constexpr std::size_t kLongestName = 32;

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

std::string_view parent(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::optional<struct stat> stat_of(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return std::nullopt;
  return found;
}

/// False only if there surely is no such file; what else is wrong with it, loading it will tell.
bool may_exist(const std::string& path) {
  struct stat found {};
  return ::stat(path.c_str(), &found) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

bool runnable(const struct stat& file) {
  return S_ISREG(file.st_mode) && (file.st_mode & (S_IXUSR | S_IXGRP | S_IXOTH)) != 0;
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// The first <dir>/<type> that could be executed; nullopt also if that is our own executable.
std::optional<std::string> stranger(const std::string& type, const Locations& where) {
  for (const auto& folder : where.cni_path) {
    if (!folder.starts_with('/')) continue;
    auto candidate = folder + '/' + type;
    const auto file = stat_of(candidate);
    if (!file || !runnable(*file)) continue;
    const auto self = stat_of(where.executable);
    if (self && same_file(*file, *self)) return std::nullopt;
    return candidate;
  }
  return std::nullopt;
}

}  // namespace

bool valid_module_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && lower_or_digit(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return lower_or_digit(c) || c == '-'; });
}

void require_valid_type(std::string_view type) {
  constexpr auto kAllowed =
      "a type is a file name: not empty, not \".\" or \"..\", without '/' and NUL";
  if (type.empty()) throw Error(Code::invalid_config, "\"type\" is missing or empty", kAllowed);
  if (type == "." || type == ".." || type.find('/') != type.npos || type.find('\0') != type.npos) {
    throw Error(Code::invalid_config, fmt::format("\"type\": \"{}\" is not allowed", type),
                kAllowed);
  }
}

std::string module_folder(const std::string& executable) {
  const auto folder = parent(executable);
  if (folder.ends_with("/exec")) return std::string(parent(folder)) + "/modules";
  return std::string(parent(parent(folder))) + "/lib/unicni/modules";
}

Found find_type(const std::string& type, const Locations& where) {
  require_valid_type(type);
  Found found;
  found.type = type;
  if (auto program = stranger(type, where)) {
    found.program = std::move(*program);
    return found;
  }
  const bool may_be_module = valid_module_name(type);
  auto path = where.modules + '/' + type + ".so";
  if (may_be_module && may_exist(path)) {
    found.module_path = std::move(path);
    return found;
  }
  std::string searched;
  for (const auto& folder : where.cni_path) {
    searched += (searched.empty() ? "" : " ") + folder;
  }
  throw Error(
      Code::invalid_config,
      may_be_module
          ? fmt::format("failed to find plugin \"{}\" in path [{}], and module {} is absent", type,
                        searched, path)
          : fmt::format("failed to find plugin \"{}\" in path [{}]; a module can't have that name",
                        type, searched),
      "correct \"type\", or install the plugin into an absolute folder of CNI_PATH or its module "
      "into " +
          where.modules);
}

}  // namespace unicni::module
