#include "ipam/boot.h"

#include <fmt/core.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include <cerrno>
#include <ctime>

#include "protocol/cached_netns.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::ipam {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::int64_t nanoseconds(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

BootId current_boot() {
  BootId id{};
  std::size_t digits = 0;
  for (const char c : sys::boot_id()) {
    const int digit = hex_digit(c);
    if (digit < 0 || digits == id.size() * 2) continue;
    std::uint8_t& byte = id[digits++ / 2];
    byte = static_cast<std::uint8_t>(byte << 4U | digit);
  }
  return id;
}

/// It moves when the clock is set, as CLOCK_REALTIME does.
std::int64_t boot_time() { return nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_BOOTTIME); }

/// libcni keeps what it was asked for each attachment in a file of this name. A name with a slash
/// would be another folder's.
bool cached_netns_is_gone(const std::string& results, const std::string& network,
                          const Attachment& owner) {
  if (results.empty()) return false;
  if (owner.container_id.find('/') != std::string::npos ||
      owner.if_name.find('/') != std::string::npos) {
    return false;
  }
  try {
    const auto text = sys::read_file(
        fmt::format("{}/{}-{}-{}", results, network, owner.container_id, owner.if_name));
    if (!text) return false;
    const auto netns = protocol::cached_netns(*text, network, owner.container_id, owner.if_name);
    if (!netns || netns->front() != '/') return false;
    struct statfs status {};
    if (::statfs(netns->c_str(), &status) != 0) return errno == ENOENT || errno == ENOTDIR;
    // A plain file is what a mount point of `ip netns` leaves behind where /run outlives a boot.
    return status.f_type != NSFS_MAGIC;
  } catch (const Error&) {
    return false;
  }
}

}  // namespace unicni::ipam
