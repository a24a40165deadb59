#include "netfilter/gate/forward_mark.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "base/shell_word.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::net {

namespace {

/// Who can write it decides which packets a host's firewall accepts.
void require_owned(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return;  // gone since
  constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;
  const bool owned = status.st_uid == 0 || status.st_uid == ::geteuid();
  if (owned && (status.st_mode & kOthersWrite) == 0) return;
  throw Error(Code::invalid_config,
              fmt::format("{} is of user {} and has mode {:04o}: it is not trusted", path,
                          status.st_uid, status.st_mode & 07777U),
              fmt::format("chown root {0} && chmod go-w {0}", shell_word(path)));
}

/// Who runs without root may not see the machine's settings. The ruleset is his own then, so the
/// default is as good.
std::optional<std::string> read_allowed(const std::string& path) {
  try {
    return sys::read_file(path);
  } catch (const Error&) {
    if (::faccessat(AT_FDCWD, path.c_str(), R_OK, AT_EACCESS) != 0 && errno == EACCES) return {};
    throw;
  }
}

/// The folder as well: whoever can write it could put another file in the place of this one.
std::optional<std::string> read_trusted(const std::string& path) {
  auto text = read_allowed(path);
  if (!text) return text;
  require_owned(path.substr(0, path.rfind('/')));
  require_owned(path);
  return text;
}

}  // namespace

// Read for each table that is made or judged, not remembered: an administrator who changes the bit
// sees tables with the old one replaced by the next ADD (base_comment()).
std::uint32_t forward_mark(const Folders& folders) {
  constexpr unsigned kBits = 32;
  std::string path = forward_mark_file(folders);
  auto file = read_trusted(path);
  if (!file) file = read_trusted(path = former_forward_mark_file(folders));
  if (!file) return 1U << kDefaultForwardMarkBit;
  std::string_view text = *file;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  unsigned bit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bit);
  if (error != std::errc() || end != text.data() + text.size() || bit >= kBits) {
    throw Error(
        Code::invalid_config,
        fmt::format("{}: \"{}\" is no bit of a packet's mark", path, text.substr(0, kBits)),
        fmt::format("write a number from 0 to 31 into the file, or remove it for the default {}",
                    kDefaultForwardMarkBit));
  }
  return 1U << bit;
}

// For who only asks whether a rule is ours: a file that is broken is told of by those who need it.
std::uint32_t find_forward_mark(const Folders& folders) noexcept {
  try {
    return forward_mark(folders);
  } catch (const Error&) {
    return 0;
  }
}

}  // namespace unicni::net
