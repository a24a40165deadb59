#include "unicni/sys/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <memory>

#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni::sys {
namespace {

bool is_absent(int errno_value) { return errno_value == ENOENT || errno_value == ENOTDIR; }

/// 0 or the errno.
int write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t n = ::write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    content.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

/// Removes a half-made file unless told to keep it.
class Temporary {
 public:
  explicit Temporary(const std::string& path) : path_(path) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (!kept_) ::unlink(path_.c_str());
  }
  void keep() { kept_ = true; }

 private:
  const std::string& path_;
  bool kept_ = false;
};

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// fsync(2) of a file doesn't write its name to disk. After a power cut the file would be nowhere.
void sync_folder(const std::string& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) throw system_error(errno, "fsync folder " + folder);
}

/// Beside the file, as rename(2) works within one file system only. A long name is cut, so that one
/// of NAME_MAX bytes can be written as well.
std::string temporary_name(const std::string& path) {
  std::uint64_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) {
    throw system_error(errno, "getrandom for a temporary file of " + path);
  }
  constexpr std::size_t kOwnPart = 1 + 1 + 16 + 4;
  const std::size_t name = path.rfind('/') + 1;  // npos + 1 is 0
  return fmt::format("{}.{}.{:016x}.tmp", path.substr(0, name),
                     path.substr(name, NAME_MAX - kOwnPart), random);
}

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

}  // namespace

std::string read_rest(const Fd& file, const std::string& name, std::size_t limit) {
  // By size alone this can't be done: files of /proc and /sys say 0.
  std::string content;
  std::array<char, 4096> part;  // NOLINT(cppcoreguidelines-pro-type-member-init): read(2) fills it
  for (;;) {
    const ssize_t n = ::read(file.get(), part.data(), part.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw system_error(errno, "read " + name);
    if (n == 0) break;
    content.append(part.data(), static_cast<std::size_t>(n));
    if (content.size() > limit) {
      throw system_error(EFBIG, fmt::format("read {} (limit {} bytes)", name, limit));
    }
  }
  return content;
}

std::optional<std::string> read_file(const std::string& path, std::size_t limit, Links links) {
  const int no_follow = links == Links::refuse ? O_NOFOLLOW : 0;
  // O_NONBLOCK: a fifo that somebody left there must not hold us.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | no_follow));
  if (fd) return read_rest(fd, path, limit);
  if (is_absent(errno)) return std::nullopt;
  throw system_error(errno, "open " + path);
}

/// Readers see the old content or the new one, never a part. Only with `sync` does that hold for a
/// power cut as well.
void write_file_atomically(const std::string& path, std::string_view content, mode_t mode,
                           bool sync) {
  const std::string temporary = temporary_name(path);
  Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!fd) throw system_error(errno, "create " + temporary);
  Temporary guard(temporary);
  if (const int error = write_all(fd.get(), content)) {
    throw system_error(error, "write " + temporary);
  }
  if (sync && ::fsync(fd.get()) != 0) throw system_error(errno, "fsync " + temporary);
  fd.reset();
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    throw system_error(errno, fmt::format("rename {} to {}", temporary, path));
  }
  guard.keep();
  if (sync) sync_folder(parent_of(path));
}

void write_once(const Fd& file, const std::string& name, std::string_view content) {
  ssize_t n = 0;
  do {
    n = ::write(file.get(), content.data(), content.size());
  } while (n < 0 && errno == EINTR);
  if (n < 0) throw system_error(errno, fmt::format("write \"{}\" to {}", content, name));
  // Files of /proc and /sys take a value whole or not at all; a second write would be another
  // value.
  if (static_cast<std::size_t>(n) != content.size()) throw system_error(EIO, "write " + name);
}

void write_file_in_place(const std::string& path, std::string_view content) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!fd) throw system_error(errno, "open " + path);
  write_once(fd, path, content);
}

/// Not atomic, and meant for files that are hints: several times faster on ext4 than a new file and
/// a rename.
void overwrite_file(const std::string& path, std::string_view content, mode_t mode) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode));
  if (!fd) throw system_error(errno, "open " + path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) throw system_error(errno, "stat " + path);
  if (!S_ISREG(status.st_mode)) throw system_error(EINVAL, path + " is no plain file");
  if (const int error = write_all(fd.get(), content)) throw system_error(error, "write " + path);
  // The rest of a longer predecessor goes last: a truncation to 0 is what ext4 makes expensive.
  if (::ftruncate(fd.get(), static_cast<off_t>(content.size())) != 0) {
    throw system_error(errno, "truncate " + path);
  }
}

/// O_EXCL decides between several programs who made the file, and it doesn't follow a symbolic link
/// in its place.
bool create_file(const std::string& path, std::string_view content, mode_t mode, bool sync) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!fd) {
    if (errno == EEXIST) return false;
    throw system_error(errno, "create " + path);
  }
  if (const int error = write_all(fd.get(), content)) {
    ::unlink(path.c_str());
    throw system_error(error, "write " + path);
  }
  if (sync && ::fsync(fd.get()) != 0) {
    const int error = errno;
    ::unlink(path.c_str());
    throw system_error(error, "fsync " + path);
  }
  if (sync) sync_folder(parent_of(path));
  return true;
}

bool remove_file(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return true;
  if (is_absent(errno)) return false;
  throw system_error(errno, "remove " + path);
}

/// Tried first and explained afterwards: almost always the folder exists, and then this is one
/// system call.
void ensure_folder(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0) return;
  int error = errno;
  if (error == ENOENT) {
    std::string parent = path;
    while (parent.size() > 1 && parent.back() == '/') parent.pop_back();
    parent = parent_of(parent);
    if (parent != path && parent != "." && parent != "/") {
      ensure_folder(parent, mode);
      if (::mkdir(path.c_str(), mode) == 0) return;
      error = errno;
    }
  }
  if (error == EEXIST) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      error = errno;  // a symbolic link to nowhere
    } else if (S_ISDIR(status.st_mode)) {
      return;
    } else {
      error = ENOTDIR;
    }
  }
  throw system_error(error, "create folder " + path);
}

std::vector<std::string> list_folder(const std::string& path) {
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(path.c_str()));  // O_CLOEXEC by itself
  if (!dir) {
    if (is_absent(errno)) return {};
    throw system_error(errno, "open folder " + path);
  }
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(std::move(name));
  }
  if (errno != 0) throw system_error(errno, "read folder " + path);
  return names;
}

/// Of this start of the kernel. It is the same in all containers, and it can't change while a
/// process lives.
std::string boot_id() {
  constexpr const char* kPath = "/proc/sys/kernel/random/boot_id";
  static const std::string id = [] {
    auto text = read_file(kPath);
    if (!text) throw system_error(ENOENT, std::string("open ") + kPath);
    text->erase(text->find_last_not_of(" \n") + 1);
    return *std::move(text);
  }();
  return id;
}

}  // namespace unicni::sys
