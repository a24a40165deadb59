// The file of a journal's entry, opened and locked in one step. Locks are on the open file, so one
// whose name was removed while we waited is told by its count of links.
#include "journal/entry_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "journal/entry.h"
#include "journal/trust.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"
#include "unicni/sys/proc.h"

namespace unicni::journal {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

/// What a second write(2) behind one that ended too early would say, which may come with SIGXFSZ.
int why_short(std::size_t end) {
  rlimit limit{};
  const bool is_limit = ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && end >= limit.rlim_cur;
  return is_limit ? EFBIG : ENOSPC;
}

/// Gives the unnamed file its name; 0 or the errno.
int link_as(int fd, const std::string& path) {
  if (::linkat(fd, "", AT_FDCWD, path.c_str(), AT_EMPTY_PATH) == 0) return 0;
  if (errno == EEXIST) return EEXIST;
  // The form above takes CAP_DAC_READ_SEARCH in the initial user namespace; open(2), O_TMPFILE.
  const std::string self = sys::proc_path_of(fd);
  const int result = ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW);
  return result == 0 ? 0 : errno;
}

/// A file without a name is locked and filled before anybody can see it. The folder is made only if
/// it is missing, as that is so once a boot.
sys::Fd open_unnamed(const std::string& folder) {
  const auto open = [&] {
    return sys::Fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kFileMode));
  };
  sys::Fd fd = open();
  if (fd || errno != ENOENT) return fd;
  sys::ensure_folder(folder, kFolderMode);
  return open();
}

}  // namespace

std::optional<EntryFile> EntryFile::open(const std::string& path, Mode mode, Deadline deadline) {
  for (;;) {
    // O_NONBLOCK: a fifo that somebody left there must not hold us.
    constexpr int kFlags = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    sys::Fd fd(::open(path.c_str(), O_RDWR | kFlags));
    if (!fd && mode == Mode::read_only_will_do &&
        (errno == EACCES || errno == EPERM || errno == EROFS)) {
      fd = sys::Fd(::open(path.c_str(), O_RDONLY | kFlags));
    }
    if (!fd) {
      if (errno == ENOENT) return std::nullopt;
      throw system_error(errno, "open " + path);
    }
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) throw system_error(errno, "stat " + path);
    if (!S_ISREG(status.st_mode)) {
      throw Error(Code::internal, fmt::format("open {}: it is not a regular file", path));
    }
    if (const auto why = distrust_file(path, status)) throw Untrusted(*why);
    sys::Lock lock(std::move(fd), path, deadline);
    if (::fstat(lock.fd(), &status) != 0) throw system_error(errno, "stat " + path);
    // Whoever held the lock before may have unlinked it: then the name is another file's or
    // nobody's.
    if (status.st_nlink == 0) continue;
    return EntryFile(std::move(lock), path, static_cast<std::size_t>(status.st_size));
  }
}

std::optional<EntryFile> EntryFile::create(const std::string& folder, const std::string& path,
                                           std::string_view content, Deadline deadline) {
  sys::Fd fd = open_unnamed(folder);
  if (!fd) {
    if (errno != EOPNOTSUPP && errno != EISDIR) {
      throw system_error(errno, "create a file in " + folder);
    }
    // An empty file counts as none, so the order of name and content is only a nicety.
    sys::ensure_folder(folder, kFolderMode);
    sys::create_file(path, {}, kFileMode);
    return std::nullopt;
  }
  EntryFile file(sys::Lock(std::move(fd), path, deadline), path, 0);
  int error = file.append(0, content);
  if (error != 0) throw system_error(error, "write " + path);
  error = link_as(file.lock_.fd(), path);
  if (error == EEXIST) return std::nullopt;
  if (error != 0) throw system_error(error, "create " + path);
  return file;
}

/// By offset and not by position: the descriptor is used for appending as well.
std::string EntryFile::read() const {
  if (size_ > kEntryLimit) throw system_error(EFBIG, "read " + path_);
  std::string text(size_, '\0');
  std::size_t used = 0;
  while (used < size_) {
    const ssize_t n =
        ::pread(lock_.fd(), text.data() + used, size_ - used, static_cast<off_t>(used));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(errno, "read " + path_);
    if (n == 0) break;
    used += static_cast<std::size_t>(n);
  }
  text.resize(used);
  return text;
}

/// In one write(2), so that a line is there as a whole or was cut by a full disk. What was cut is
/// taken back.
int EntryFile::append(std::size_t at, std::string_view text) const {
  ssize_t n = 0;
  do {
    n = ::pwrite(lock_.fd(), text.data(), text.size(), static_cast<off_t>(at));
  } while (n < 0 && errno == EINTR);
  if (n == static_cast<ssize_t>(text.size())) return 0;
  const int error = n < 0 ? errno : why_short(at + static_cast<std::size_t>(n));
  // Should this fail, too, then a torn last line stays, which readers drop.
  if (n > 0) static_cast<void>(cut(at));
  return error;
}

int EntryFile::cut(std::size_t size) const {
  return ::ftruncate(lock_.fd(), static_cast<off_t>(size)) == 0 ? 0 : errno;
}

void EntryFile::remove() const { ::unlink(path_.c_str()); }

}  // namespace unicni::journal
