#include "ipam/pages.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "unicni/error.h"

namespace unicni::ipam {

namespace {

constexpr mode_t kMode = 0600;
constexpr std::uint32_t kMostPages = 1U << 20U;  // 4 GiB

off_t offset_of(std::uint32_t page) { return static_cast<off_t>(page) * off_t{kPageSize}; }

bool write_page(int fd, std::uint32_t number, const std::byte* bytes) {
  std::size_t done = 0;
  while (done < kPageSize) {
    const ssize_t n =
        ::pwrite(fd, bytes + done, kPageSize - done, offset_of(number) + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

}  // namespace

/// A size that is no whole number of pages means that the file was cut off or isn't ours.
std::optional<Pages> Pages::open(const std::string& path) {
  sys::Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status {};
  if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size == 0 || size % kPageSize != 0 || size / kPageSize > kMostPages) return std::nullopt;
  return Pages(path, std::move(fd), static_cast<std::uint32_t>(size / kPageSize));
}

/// Pages are read when they are first needed: a verb touches a few of them, however large the index
/// is. A page of a file that isn't there yet is all zeroes.
Pages::Page& Pages::load(std::uint32_t number) const {
  const auto [found, is_new] = pages_.try_emplace(number);
  Page& page = found->second;
  if (!is_new) return page;
  page.changed = false;
  std::size_t done = 0;
  while (fd_ && done < kPageSize) {
    const ssize_t n = ::pread(fd_.get(), page.bytes + done, kPageSize - done,
                              offset_of(number) + static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const int error = n < 0 ? errno : EIO;
      pages_.erase(found);
      ::unlink(path_.c_str());
      throw system_error(error, "read " + path_);
    }
    done += static_cast<std::size_t>(n);
  }
  return page;
}

const std::byte* Pages::read(std::uint32_t number) const { return load(number).bytes; }

std::byte* Pages::edit(std::uint32_t number) {
  Page& page = load(number);
  page.changed = true;
  changed_ = true;
  return page.bytes;
}

bool Pages::write_first() const { return write_page(fd_.get(), 0, load(0).bytes); }

/// Page 0, the header, says whether the rest counts, and is written by itself before and after.
bool Pages::write_others() {
  for (auto& [number, page] : pages_) {
    if (number == 0 || !page.changed) continue;
    if (!write_page(fd_.get(), number, page.bytes)) return false;
    page.changed = false;
  }
  changed_ = false;
  return true;
}

bool Pages::move_to(const std::string& path) {
  sys::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, kMode));
  // Pages that nobody touched stay holes.
  if (!fd || ::ftruncate(fd.get(), offset_of(count_)) != 0) return false;
  for (auto& [number, page] : pages_) page.changed = true;
  changed_ = true;
  fd_ = std::move(fd);
  return true;
}

}  // namespace unicni::ipam
