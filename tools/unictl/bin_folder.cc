#include "bin_folder.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "module/module_file.h"
#include "module/note.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/file.h"

namespace unicni::unictl {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kKept = ".before-unicni";
constexpr std::size_t kLargestFile = 256U << 20U;  // a Go plugin has 4 MB

/// The first that is kept for a name has no number, what comes later 2 and more.
std::string kept_name(std::string_view name, int number) {
  return fmt::format(".{}{}{}", name, kKept, number == 1 ? "" : fmt::format(".{}", number));
}

/// What a file is kept for; nullopt: it is something else.
struct Kept {
  std::string name;
  int number;
};
std::optional<Kept> kept_for(std::string_view file) {
  const auto mark = file.rfind(kKept);
  if (mark == file.npos || mark < 2 || !file.starts_with('.')) return std::nullopt;
  Kept kept{std::string(file.substr(1, mark - 1)), 1};
  const std::string_view behind = file.substr(mark + kKept.size());
  if (behind.empty()) return kept;
  const auto [end, error] =
      std::from_chars(behind.data() + 1, behind.data() + behind.size(), kept.number);
  const bool is_number = behind.front() == '.' && error == std::errc() &&
                         end == behind.data() + behind.size() && kept.number > 1;
  return is_number ? std::optional(kept) : std::nullopt;
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
         content->find(module::kDescriptorPrefix) != content->npos;
}

/// Whether two files are links to one place, or have one content.
bool is_same(const std::string& one, const std::string& other) {
  const std::string target = link_target(one);
  if (!target.empty() || !link_target(other).empty()) return target == link_target(other);
  std::error_code error;
  const auto size = fs::file_size(one, error);
  if (error || size > kLargestFile || size != fs::file_size(other, error) || error) return false;
  return sys::read_file(one, kLargestFile) == sys::read_file(other, kLargestFile);
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

/// What was kept before stays, as it may be all that is left of the plugin that was there before
/// unicni. A second name first, so that the plugin is there all the time; without hard links there
/// is a moment in which it isn't.
void BinFolder::keep_foreign(const std::string& name) const {
  const std::string path = file(name);
  const auto mode = mode_of(path);
  if (!mode || is_ours(path)) return;
  int number = 1;
  std::string kept = file(kept_name(name, number));
  for (; mode_of(kept); kept = file(kept_name(name, ++number))) {
    if (is_same(path, kept)) return;
  }
  tell_(name, "keep", kept);
  if (is_dry_ || ::link(path.c_str(), kept.c_str()) == 0) return;
  if (errno == EEXIST) return keep_foreign(name);  // another unictl was faster
  rename_to(path, kept);
}

std::optional<sys::Lock> BinFolder::hold() const {
  if (is_dry_) return std::nullopt;
  sys::Fd folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) throw system_error(errno, "open " + path_);
  return sys::Lock(std::move(folder), path_,
                   std::chrono::steady_clock::now() + std::chrono::minutes(1));
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

void BinFolder::restore_one(const std::string& name, const std::string& kept) const {
  const std::string path = file(name);
  tell_(name, "restore", path);
  if (!is_dry_) rename_to(file(kept), path);
}

bool BinFolder::has_copies_besides(const std::vector<std::string>& names) const {
  const std::vector<std::string> files = sys::list_folder(path_);
  return std::ranges::any_of(files, [&](const std::string& each) {
    if (kept_for(each) || std::ranges::find(names, each) != names.end()) return false;
    const auto mode = mode_of(file(each));
    return mode && S_ISREG(*mode) && is_ours(file(each));
  });
}

void BinFolder::remove_modules(const std::vector<std::string>* served) const {
  const std::string folder = file(kCopiedModules);
  // A link to a folder was made by somebody else.
  if (const auto mode = mode_of(folder); !mode || !S_ISDIR(*mode)) return;
  std::vector<std::string> files = sys::list_folder(folder);
  std::ranges::sort(files);
  for (const std::string& each : files) {
    const auto parsed = module::parse_file_name(each);
    if (!parsed) continue;
    if (served != nullptr && std::ranges::find(*served, parsed->module) == served->end()) continue;
    try {
      (void)module::read_note(folder + '/' + each);
    } catch (const Error&) {
      continue;  // no module: not ours to remove
    }
    remove(fmt::format("{}/{}", kCopiedModules, each));
  }
  if (is_dry_) return;
  std::error_code ignored;  // it stays if there is something else in it
  fs::remove(folder, ignored);
}

std::vector<std::string> BinFolder::restore() const {
  std::map<std::string, std::map<int, std::string>> kept;  // name → number → file
  std::set<std::string> links;
  std::set<std::string> files;
  for (const std::string& each : sys::list_folder(path_)) {
    if (const auto found = kept_for(each)) {
      kept[found->name].emplace(found->number, each);
    } else if (const auto mode = mode_of(file(each)); mode && is_ours(file(each))) {
      (S_ISLNK(*mode) ? links : files).insert(each);
    }
  }
  for (const auto& [name, all] : kept) {
    if (!mode_of(file(name))) links.insert(name);
  }
  const auto restore_all = [&](const std::set<std::string>& names) {
    for (const std::string& name : names) {
      const auto found = kept.find(name);
      if (found == kept.end() || found->second.empty()) {
        remove(name);
        continue;
      }
      restore_one(name, found->second.begin()->second);
      found->second.erase(found->second.begin());
    }
  };
  restore_all(links);
  restore_all(files);
  remove_modules(nullptr);
  std::vector<std::string> left;
  for (const auto& [name, all] : kept) {
    for (const auto& [number, each] : all) left.push_back(each);
  }
  return left;
}

}  // namespace unicni::unictl
