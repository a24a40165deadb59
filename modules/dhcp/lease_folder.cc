#include "lease_folder.h"

#include <fmt/core.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "unicni/error.h"
#include "unicni/sys/file.h"
#include "unicni/undo/lease.h"

namespace unicni::dhcp {

namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr std::size_t kLargestLease = 4096;

/// What the file has on its file system, of which its content uses a part. 0: there is no file.
std::size_t room_of(const std::string& file) {
  constexpr std::size_t kBlock = 512;  // stat(2)
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return 0;
  return static_cast<std::size_t>(status.st_blocks) * kBlock;
}

}  // namespace

LeaseFolder::LeaseFolder(std::string path) : path_(std::move(path)) { watch(); }

std::string LeaseFolder::file_of(const Lease& lease) const { return lease_file(path_, lease.key); }

void LeaseFolder::write(const Lease& lease) {
  sys::ensure_folder(path_, kFolderMode);
  if (!watch_) watch();
  const std::string file = file_of(lease);
  const std::string text = print_lease(lease);
  try {
    sys::write_file_atomically(file, text, kFileMode);
  } catch (const Error&) {
    // One write(2) of what fits: whoever is killed then has written all or nothing.
    if (text.size() > room_of(file)) throw;
    sys::overwrite_file(file, text, kFileMode);
  }
}

void LeaseFolder::remove(const Lease& lease) {
  const std::string file = file_of(lease);
  const auto present = read_lease(file);
  if (present && present->place != lease.place) return;
  sys::remove_file(file);
}

void LeaseFolder::require_room() const {
  const std::string probe = path_ + "/.room";
  try {
    sys::ensure_folder(path_, kFolderMode);
    sys::write_file_atomically(probe, std::string(kLargestLease, '\n'), kFileMode);
    sys::remove_file(probe);
  } catch (const Error& error) {
    throw Error(Code::not_available, "no lease can be written: " + error.msg(),
                fmt::format("make room in {}, or make it writable", path_));
  }
}

/// Anew for a folder that was itself removed.
void LeaseFolder::watch() {
  watch_ = sys::Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  constexpr std::uint32_t kLosses =
      IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
  if (watch_ && ::inotify_add_watch(watch_.get(), path_.c_str(), kLosses) < 0) watch_.reset();
}

bool LeaseFolder::has_lost_files() {
  alignas(inotify_event) std::array<char, 4096>
      buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read(2) fills it
  bool lost = false;
  while (watch_) {
    const ssize_t size = ::read(watch_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      at += sizeof event + event.len;
      const bool is_folder = event.len == 0;
      // Temporary files come and go.
      lost = lost || is_folder || name[0] != '.';
      if (is_folder) watch_.reset();
    }
  }
  return lost;
}

}  // namespace unicni::dhcp
