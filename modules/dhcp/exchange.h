// What the clients of both families have in common: time, and what can become of an address.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace unicni::dhcp {

/// Of CLOCK_BOOTTIME, which goes on while the machine sleeps, as leases do.
using Instant = std::chrono::milliseconds;
using Span = std::chrono::milliseconds;
inline constexpr Instant kNever = Instant::max();

/// 32 random bits.
using Random = std::function<std::uint32_t()>;

/// What a client's step has brought.
enum class Event : unsigned char {
  none,
  bound,    ///< grant() is new
  renewed,  ///< grant() has new times, and maybe other options
  moved,    ///< grant() has another address
  lost,     ///< grant() is gone: it ended, or a server took it back. The client starts anew.
};

/// What servers said that gave no address, for the error of an ADD: the last few, each once.
class Seen {
 public:
  void note(const std::string& what);
  void clear() { all_.clear(); }
  /// "fe80::1: NoAddrsAvail; ..."; `nothing` if nobody said anything.
  [[nodiscard]] std::string str(std::string_view nothing) const;

 private:
  std::vector<std::string> all_;
};

}  // namespace unicni::dhcp
