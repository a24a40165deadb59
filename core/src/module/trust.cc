#include "module/trust.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <sstream>
#include <utility>

#include "module/refusal.h"
#include "unicni/sys/file.h"

namespace unicni::module {
namespace {

constexpr int kMostSymlinks = 40;  // as the kernel: path_resolution(7)

/// The numbers mean the same users as on the machine, as in the initial user namespace. Without
/// /proc: assume so, which is the stricter rule.
bool identity_mapped() {
  const auto map = sys::read_file("/proc/thread-self/uid_map");
  if (!map) return true;
  std::istringstream words(*map);
  std::uint64_t inside = 0;
  std::uint64_t outside = 0;
  std::uint64_t count = 0;
  words >> inside >> outside >> count;
  return inside == 0 && outside == 0 && count == UINT32_MAX;
}

/// The rule about owners. In the common case all is root's and nothing is looked up.
class Owners {
 public:
  explicit Owners(const std::string& executable) : executable_(executable) {}

  /// In a rootless namespace the machine's root is an unmapped user like any other, so "/" itself
  /// has no known owner there. Whoever owns a folder above our executable could have replaced the
  /// executable: no use in distrusting them.
  [[nodiscard]] bool trusts(uid_t owner, const std::string& component) {
    if (owner == 0) return true;
    if (!rootless_) rootless_ = !identity_mapped();
    if (!*rootless_) return false;
    if (component == "/" || executable_.starts_with(component + '/')) return true;
    struct stat self {};
    return ::stat(executable_.c_str(), &self) == 0 && self.st_uid == owner;
  }

 private:
  const std::string& executable_;
  std::optional<bool> rootless_;
};

void require_safe(const std::string& path, const std::string& component, const struct stat& found,
                  Owners& owners) {
  const auto* noun = S_ISDIR(found.st_mode)   ? "folder"
                     : S_ISLNK(found.st_mode) ? "symlink"
                                              : "file";
  if (!owners.trusts(found.st_uid, component)) {
    throw unusable(path,
                   fmt::format("{} {} belongs to uid {}, who could replace the module", noun,
                               component, found.st_uid),
                   fmt::format("a module and all folders above it belong to root: chown -h root {}",
                               component));
  }
  if (S_ISLNK(found.st_mode)) return;  // its mode means nothing
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) == 0) return;
  // In a sticky folder only its owner and the entry's owner can rename or remove the entry, and the
  // entry is next.
  if (S_ISDIR(found.st_mode) && (found.st_mode & S_ISVTX) != 0) return;
  throw unusable(path,
                 fmt::format("{} {} has mode {:04o}, so others than its owner can write it", noun,
                             component, found.st_mode & 07777U),
                 fmt::format("chmod go-w {}", component));
}

/// lstat and the rule for one component.
mode_t inspect(const std::string& path, const std::string& component, Owners& owners) {
  struct stat found {};
  if (::lstat(component.c_str(), &found) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) throw absent(path);
    throw unusable(
        path, system_error(errno, "lstat " + component).msg(),
        "let the folders above the modules be searched by the user that runs the plugin");
  }
  require_safe(path, component, found, owners);
  return found.st_mode;
}

std::string link_target(const std::string& path, const std::string& link) {
  char target[PATH_MAX];
  const auto length = ::readlink(link.c_str(), target, sizeof target);
  if (length < 0) throw unusable(path, system_error(errno, "readlink " + link).msg(), {});
  return {target, static_cast<std::size_t>(length)};
}

/// The components of a path on top of a stack, the first one uppermost.
void push_components(std::vector<std::string>& stack, std::string_view path) {
  for (auto end = path.size(); end > 0;) {
    const auto slash = path.rfind('/', end - 1);
    const auto start = slash == path.npos ? 0 : slash + 1;
    const auto name = path.substr(start, end - start);
    if (!name.empty() && name != ".") stack.emplace_back(name);
    end = slash == path.npos ? 0 : slash;
  }
}

}  // namespace

// Resolves the path by hand, so that every folder and symlink on the way is looked at once, before
// what is below it: checking only realpath(3)'s answer would miss a folder that somebody else owns
// and that a symlink leads through.
void require_trusted(const std::string& path, const std::string& executable) {
  if (!path.starts_with('/')) {
    throw unusable(path, "the path is not absolute", "modules are loaded by absolute path only");
  }
  Owners owners(executable);
  std::vector<std::string> pending;
  push_components(pending, path);
  std::string at = "/";
  mode_t mode = inspect(path, at, owners);
  for (int symlinks = 0; !pending.empty();) {
    const std::string name = std::move(pending.back());
    pending.pop_back();
    if (name == "..") {
      at.resize(std::max<std::size_t>(at.rfind('/'), 1));
      continue;
    }
    auto component = (at == "/" ? "/" : at + '/') + name;
    mode = inspect(path, component, owners);
    if (!S_ISLNK(mode)) {
      at = std::move(component);
      continue;
    }
    if (++symlinks > kMostSymlinks) {
      throw unusable(path, "too many levels of symlinks", "install the module as a file");
    }
    const auto target = link_target(path, component);
    if (target.starts_with('/')) at = "/";
    push_components(pending, target);
  }
  if (!S_ISREG(mode)) {
    throw unusable(path, "it is not a regular file", "install the module as a file");
  }
}

}  // namespace unicni::module
