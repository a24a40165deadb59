// What the clients of both families have in common: time, and what can become of an address.
#pragma once

#include <algorithm>
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

/// Of a client that was refused or met a conflict, before it asks anew: longer with each in a row.
inline Span setback_pause(unsigned setbacks) {
  constexpr Span kFirst{200};
  constexpr Span kLongest{10'000};  // RFC 2131 §3.1, 5. after a DECLINE
  return std::min(kFirst * setbacks, kLongest);
}

/// Of one that has time, from kMostDeclines on: `first`, then twice as long with each.
inline Span slow_pause(Span first, unsigned declines) {
  constexpr unsigned kMostDoublings = 6;
  return first * (1U << std::min(declines - kMostDeclines, kMostDoublings));
}

/// For servers to say that an address may be kept whose time is over by its file: the file may be
/// older than the last renewal, where the folder couldn't be written. Meanwhile it stays.
inline constexpr Span kTimeToConfirm{2'000};
/// Of a grant out of a file: one that is over by now is asked for at once.
template <class Grant>
void let_confirm(Grant& grant, Instant now) {
  if (now < grant.expires) return;
  grant.t1 = grant.t2 = now;
  grant.expires = now + kTimeToConfirm;
}

/// What a client's step has brought.
enum class LeaseEvent : unsigned char {
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
