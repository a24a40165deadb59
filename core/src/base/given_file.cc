#include "base/given_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "unicni/error.h"
#include "unicni/sys/fd.h"

namespace unicni {
namespace {

using Clock = std::chrono::steady_clock;

void require_readable(const std::string& path, mode_t mode) {
  if (S_ISREG(mode) || S_ISFIFO(mode)) return;
  throw Error(Code::invalid_config,
              fmt::format("{} is {}", path, S_ISDIR(mode) ? "a folder" : "a device"),
              "name a file in its place");
}

/// Waits for bytes, or the end. A plain file always has them.
void await(const sys::Fd& file, const std::string& path, Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
  pollfd awaited{file.get(), POLLIN, 0};
  const int ready = ::poll(
      &awaited, 1, static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0)));
  if (ready > 0 || (ready < 0 && errno == EINTR)) return;
  if (ready < 0) throw system_error(errno, "wait for " + path);
  throw Error(Code::invalid_config,
              fmt::format("{} is a pipe whose writer didn't come to its end in time", path),
              "name a file, or write all of it into the pipe and close that");
}

}  // namespace

std::optional<std::string> read_given_file(const std::string& path, std::size_t limit,
                                           std::chrono::milliseconds patience) {
  // Without O_NONBLOCK a pipe without a writer would hold us here already.
  const sys::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (!file) throw system_error(errno, "open " + path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw system_error(errno, "stat " + path);
  require_readable(path, status.st_mode);

  const auto end = Clock::now() + patience;
  std::string content;
  std::array<char, 4096> part;  // NOLINT(cppcoreguidelines-pro-type-member-init): read(2) fills it
  for (;;) {
    await(file, path, end);
    const ssize_t n = ::read(file.get(), part.data(), part.size());
    if (n == 0) return content;
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) throw system_error(errno, "read " + path);
    content.append(part.data(), static_cast<std::size_t>(n));
    if (content.size() > limit) {
      throw Error(Code::invalid_config, fmt::format("{} has more than {} bytes", path, limit));
    }
  }
}

}  // namespace unicni
