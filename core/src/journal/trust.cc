#include "journal/trust.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>

#include "base/shell_word.h"

namespace unicni::journal {
namespace {

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
constexpr mode_t kModeBits = 07777;

/// By the effective user: the one with whose rights records are undone.
bool is_private(const struct stat& status) {
  return status.st_uid == ::geteuid() && (status.st_mode & kOthers) == 0;
}

Untrusted untrusted(const std::string& what, const std::string& path, const struct stat& status,
                    unsigned mode) {
  const uid_t user = ::geteuid();
  return {Code::internal,
          fmt::format(
              "{} {} belongs to user {} with mode {:04o}, but must be user {}'s alone: what "
              "it says is undone with that user's rights",
              what, path, status.st_uid, static_cast<unsigned>(status.st_mode & kModeBits), user),
          fmt::format("look who made it, then: chown {0} {1} && chmod {2:04o} {1}", user,
                      shell_word(path), mode)};
}

}  // namespace

/// lstat(2), as a symbolic link could be turned to another folder between this look and the use.
std::optional<Untrusted> distrust_folder(const std::string& folder) {
  struct stat status {};
  // What can't be looked at, or is no folder, can't be opened either, which says why.
  if (::lstat(folder.c_str(), &status) != 0) return std::nullopt;
  if (S_ISLNK(status.st_mode)) {
    return Untrusted(Code::internal, fmt::format("{} is a symbolic link", folder),
                     fmt::format("look who made it, then: rm {}", shell_word(folder)));
  }
  if (!S_ISDIR(status.st_mode)) return std::nullopt;
  if (is_private(status)) return std::nullopt;
  return untrusted("folder", folder, status, S_IRWXU);
}

std::optional<Untrusted> distrust_file(const std::string& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) {
    return Untrusted(Code::internal, fmt::format("{} is not a regular file", path),
                     fmt::format("look who made it, then: rm {}", shell_word(path)));
  }
  if (is_private(status)) return std::nullopt;
  return untrusted("file", path, status, S_IRUSR | S_IWUSR);
}

}  // namespace unicni::journal
