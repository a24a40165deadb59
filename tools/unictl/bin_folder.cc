#include "bin_folder.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "module/module_file.h"
#include "module/note.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::unictl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKept = ".before-unicni";
constexpr std::size_t kLargestFile = 256U << 20U;  // a Go plugin has 4 MB

std::string kept_name(std::string_view name) { return fmt::format(".{}{}", name, kKept); }

/// The name that something was kept for; "": the file is something else.
std::string_view kept_for(std::string_view file) {
  if (file.size() <= kKept.size() + 1 || !file.starts_with('.') || !file.ends_with(kKept))
    return {};
  return file.substr(1, file.size() - 1 - kKept.size());
}

/// lstat(2).
std::optional<mode_t> mode_of(const std::string& path) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) == 0) return found.st_mode;
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  throw system_error(errno, "lstat " + path);
}

void rename_to(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0)
    throw system_error(errno, fmt::format("rename {} to {}", from, to));
}

std::string link_target(const std::string& path) {
  std::error_code error;
  auto target = fs::read_symlink(path, error);
  return error ? std::string() : target.string();
}

/// Every build has the name of the constant that a module exports: loading looks for it.
bool has_loader(const std::string& path) {
  std::error_code error;
  if (fs::file_size(path, error) > kLargestFile || error) return false;
  const auto content = sys::read_file(path, kLargestFile);
  return content &&
         content->starts_with(
             "\x7f"
             "ELF") &&
         content->find("unicni_module_") != content->npos;
}

/// A name for what isn't complete yet: no plugin's, and of this process alone.
std::string unfinished(const std::string& path) {
  const auto slash = path.rfind('/');
  return fmt::format("{}/.{}.{}.tmp", path.substr(0, slash), path.substr(slash + 1), ::getpid());
}

}  // namespace

BinFolder::BinFolder(std::string path, bool is_dry, Teller teller)
    : path_(std::move(path)), is_dry_(is_dry), tell_(std::move(teller)) {}

std::string BinFolder::file(std::string_view name) const {
  return fmt::format("{}/{}", path_, name);
}

/// A link is known by where it leads, as the executable may have gone before its links.
bool BinFolder::is_ours(const std::string& path) const {
  const auto mode = mode_of(path);
  if (!mode) return false;
  if (S_ISLNK(*mode) && fs::path(link_target(path)).filename() == "unicni") return true;
  std::error_code error;
  return fs::is_regular_file(path, error) && has_loader(path);
}

std::vector<std::string> BinFolder::foreign(const std::vector<std::string>& names) const {
  std::vector<std::string> found;
  std::copy_if(names.begin(), names.end(), std::back_inserter(found), [&](const auto& name) {
    return mode_of(file(name)).has_value() && !is_ours(file(name));
  });
  return found;
}

bool BinFolder::exists() const {
  std::error_code error;
  return fs::is_directory(path_, error);
}

void BinFolder::require_room(const std::vector<std::string>& names) const {
  if (!exists() && mode_of(path_)) {
    const std::string target = link_target(path_);
    throw Error(Code::invalid_environment,
                target.empty()
                    ? fmt::format("{} is no folder", path_)
                    : fmt::format("{} is a link to {}, which is no folder", path_, target),
                "name a folder, or what can become one (--bin-dir)");
  }
  for (const std::string& name : names) {
    const auto mode = mode_of(file(name));
    if (!mode || !S_ISDIR(*mode)) continue;
    throw Error(Code::internal, fmt::format("{} is a folder", file(name)),
                "move it away: a plugin of this name is a file");
  }
}

std::vector<std::string> BinFolder::links_besides(const std::vector<std::string>& names) const {
  // "cnv-bridge" is bridge.
  const auto serves = [](const std::string& link, const std::string& name) {
    return link == name || link.ends_with('-' + name);
  };
  std::vector<std::string> found = sys::list_folder(path_);
  std::erase_if(found, [&](const std::string& link) {
    return link.starts_with('.') || fs::path(link_target(file(link))).filename() != "unicni" ||
           std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return serves(link, name); });
  });
  std::sort(found.begin(), found.end());
  return found;
}

/// A second name first, so that the plugin is there all the time; without hard links there is a
/// moment in which it isn't.
void BinFolder::keep_foreign(const std::string& name) const {
  const std::string path = file(name);
  const auto mode = mode_of(path);
  if (!mode || is_ours(path)) return;
  const std::string kept = file(kept_name(name));
  tell_(name, "keep", kept);
  if (is_dry_) return;
  const std::string second = unfinished(kept);
  (void)sys::remove_file(second);
  if (::link(path.c_str(), second.c_str()) == 0) {
    rename_to(second, kept);
  } else {
    rename_to(path, kept);
  }
}

void BinFolder::link(const std::string& name, const std::string& target) const {
  const std::string path = file(name);
  if (link_target(path) == target) return tell_(name, "leave", path);
  keep_foreign(name);
  tell_(name, "link", path);
  if (is_dry_) return;
  const std::string fresh = unfinished(path);
  (void)sys::remove_file(fresh);
  if (::symlink(target.c_str(), fresh.c_str()) != 0) throw system_error(errno, "symlink " + fresh);
  rename_to(fresh, path);
}

void BinFolder::copy(const std::string& name, const std::string& from, unsigned mode) const {
  const std::string path = file(name);
  const auto content = sys::read_file(from, kLargestFile);
  if (!content) throw Error(Code::internal, fmt::format("{} is absent", from));
  if (name.find('/') == name.npos) keep_foreign(name);
  tell_(name, "copy", path);
  if (!is_dry_) sys::write_file_atomically(path, *content, mode, true);
}

void BinFolder::remove(const std::string& name) const {
  const std::string path = file(name);
  if (!mode_of(path)) return;
  tell_(name, "remove", path);
  if (!is_dry_) (void)sys::remove_file(path);
}

void BinFolder::restore_one(const std::string& name) const {
  const std::string path = file(name);
  const std::string kept = file(kept_name(name));
  if (mode_of(path) && !is_ours(path)) return;  // somebody replaced ours, and what was kept is old
  if (mode_of(kept)) {
    tell_(name, "restore", path);
    if (!is_dry_) rename_to(kept, path);
  } else {
    remove(name);
  }
}

void BinFolder::remove_modules() const {
  const std::string folder = file(kCopiedModules);
  std::vector<std::string> files = sys::list_folder(folder);
  std::sort(files.begin(), files.end());
  for (const std::string& each : files) {
    const std::string path = folder + '/' + each;
    if (!module::parse_file_name(each)) continue;
    try {
      (void)module::read_note(path);
    } catch (const Error&) {
      continue;  // no module: not ours to remove
    }
    remove(fmt::format("{}/{}", kCopiedModules, each));
  }
  if (is_dry_) return;
  std::error_code ignored;  // it stays if there is something else in it
  fs::remove(folder, ignored);
}

void BinFolder::restore() const {
  std::set<std::string> links;
  std::set<std::string> files;
  for (const std::string& each : sys::list_folder(path_)) {
    if (const auto name = kept_for(each); !name.empty()) {
      links.emplace(name);
    } else if (const auto mode = mode_of(file(each)); mode && is_ours(file(each))) {
      (S_ISLNK(*mode) ? links : files).insert(each);
    }
  }
  for (const std::string& name : links) {
    if (files.find(name) == files.end()) restore_one(name);
  }
  for (const std::string& name : files) restore_one(name);
  remove_modules();
}

}  // namespace unicni::unictl
