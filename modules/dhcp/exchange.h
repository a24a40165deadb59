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

/// After so many declined addresses in a row it is no chance: who waits is told, and who has time
/// slows down, as each costs the server's pool an address for minutes or a day.
inline constexpr unsigned kMostDeclines = 3;

/// For servers to say that an address may be kept whose time is over by its file: the file may be
/// older than the last renewal, where the folder couldn't be written. Meanwhile it stays.
inline constexpr Span kTimeToConfirm{2'000};

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
