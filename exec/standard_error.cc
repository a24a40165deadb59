#include "standard_error.h"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <string>

namespace unicni::exec {

void StandardError::log(LogLevel level, std::string_view member, std::string_view text) noexcept {
  constexpr const char* kNames[] = {"debug", "info", "warning", "error"};
  try {
    const std::string line = fmt::format("unicni{}{}: {}: {}\n", member.empty() ? "" : " ", member,
                                         kNames[static_cast<int>(level)], text);
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): no memory, no line
  }
}

/// In pieces that don't block when poll(2) says so.
void StandardError::pass_on(std::string_view bytes) noexcept {
  constexpr std::size_t kPiece = 4096;
  constexpr int kPatience = 100;  // ms
  while (!bytes.empty()) {
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&ready, 1, kPatience) != 1 || (ready.revents & POLLOUT) == 0) return;
    const ssize_t n = ::write(STDERR_FILENO, bytes.data(), std::min(bytes.size(), kPiece));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace unicni::exec
