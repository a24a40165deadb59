#include "module/trust.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <sstream>
#include <utility>

#include "base/shell_word.h"
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
  Owners(const std::string& executable, bool trusts_root_folder)
      : executable_(executable), trusts_root_folder_(trusts_root_folder) {}

  /// In a rootless namespace the machine's root is an unmapped user like any other, so "/" itself
  /// has no known owner there. Whoever owns a folder above our executable could have replaced the
  /// executable: no use in distrusting them.
  [[nodiscard]] bool trusts(uid_t owner, const std::string& component) {
    if (owner == 0) return true;
    if (!rootless_) rootless_ = !identity_mapped();
    if (!*rootless_) return false;
    if (component == "/" || executable_.starts_with(component + '/')) return true;
    struct stat found {};
    if (trusts_root_folder_ && ::stat("/", &found) == 0 && found.st_uid == owner) return true;
    return ::stat(executable_.c_str(), &found) == 0 && found.st_uid == owner;
  }

 private:
  const std::string& executable_;
  bool trusts_root_folder_;
  std::optional<bool> rootless_;
};

using MayBe = std::optional<Distrust>;

MayBe distrust_component(const std::string& component, const struct stat& found, Owners& owners) {
  const auto* noun = S_ISDIR(found.st_mode)   ? "folder"
                     : S_ISLNK(found.st_mode) ? "symlink"
                                              : "file";
  if (!owners.trusts(found.st_uid, component)) {
    return Distrust{fmt::format("{} {} belongs to uid {}, who could replace the file", noun,
                                component, found.st_uid),
                    fmt::format("it and all folders above it belong to root: chown -h root {}",
                                shell_word(component))};
  }
  if (S_ISLNK(found.st_mode)) return {};  // its mode means nothing
  if ((found.st_mode & (S_IWGRP | S_IWOTH)) == 0) return {};
  // In a sticky folder only its owner and the entry's owner can rename or remove the entry, and the
  // entry is next.
  if (S_ISDIR(found.st_mode) && (found.st_mode & S_ISVTX) != 0) return {};
  // Whoever took the right to write /dev/zero from all would break the host.
  const bool is_kept = !S_ISDIR(found.st_mode) && !S_ISREG(found.st_mode);
  return Distrust{fmt::format("{} {} has mode {:04o}, so others than its owner can write it", noun,
                              component, found.st_mode & 07777U),
                  is_kept ? "let the path lead to a regular file that only root can write, and "
                            "leave this one as it is"
                          : fmt::format("chmod go-w {}", shell_word(component))};
}

/// lstat and the rule for one component.
MayBe inspect(const std::string& component, Owners& owners, mode_t& mode) {
  struct stat found {};
  if (::lstat(component.c_str(), &found) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return Distrust{"no such file", {}, true};
    return Distrust{system_error(errno, "lstat " + component).msg(),
                    "let the folders above it be searched by the user that runs the plugin"};
  }
  mode = found.st_mode;
  return distrust_component(component, found, owners);
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

// Resolves the path by hand, so that every folder and symlink on the way is looked at once, before
// what is below it: checking only realpath(3)'s answer would miss a folder that somebody else owns
// and that a symlink leads through.
MayBe walk(const std::string& path, Owners owners, mode_t& mode) {
  if (!path.starts_with('/')) {
    return Distrust{"the path is not absolute", "only absolute paths are followed"};
  }
  std::vector<std::string> pending;
  push_components(pending, path);
  std::string at = "/";
  if (auto wrong = inspect(at, owners, mode)) return wrong;
  for (int symlinks = 0; !pending.empty();) {
    const std::string name = std::move(pending.back());
    pending.pop_back();
    if (name == "..") {
      at.resize(std::max<std::size_t>(at.rfind('/'), 1));
      continue;
    }
    auto component = (at == "/" ? "/" : at + '/') + name;
    if (auto wrong = inspect(component, owners, mode)) return wrong;
    if (!S_ISLNK(mode)) {
      at = std::move(component);
      continue;
    }
    if (++symlinks > kMostSymlinks)
      return Distrust{"too many levels of symlinks", "install a file"};
    char target[PATH_MAX];
    const auto length = ::readlink(component.c_str(), target, sizeof target);
    if (length < 0) return Distrust{system_error(errno, "readlink " + component).msg(), {}};
    const std::string_view to(target, static_cast<std::size_t>(length));
    if (to.starts_with('/')) at = "/";
    push_components(pending, to);
  }
  return {};
}

}  // namespace

bool is_rootless() { return !identity_mapped(); }

void require_trusted(const std::string& path, const std::string& executable) {
  mode_t mode = 0;
  if (const auto wrong = walk(path, Owners(executable, false), mode)) {
    if (wrong->is_absent) throw absent(path);
    throw unusable(path, wrong->why, wrong->advice);
  }
  if (!S_ISREG(mode)) throw unusable(path, "it is not a regular file", "install a file");
}

std::optional<Distrust> distrust_settings(const std::string& path, const std::string& executable) {
  mode_t mode = 0;
  if (auto wrong = walk(path, Owners(executable, true), mode)) return wrong;
  if (S_ISREG(mode) || S_ISDIR(mode)) return {};
  return Distrust{"it is neither a regular file nor a folder", "put a file there"};
}

}  // namespace unicni::module
