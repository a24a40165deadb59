// The bit of packet marks by which our forward chain tells a foreign one what to accept.
#pragma once

#include <bit>
#include <cstdint>
#include <string>

#include "unicni/folders.h"

namespace unicni::net {

/// The administrator's choice of it.
inline std::string forward_mark_file(const Folders& folders) {
  return folders.settings + "/forward-mark-bit";
}
/// Where versions before 0.2 had it; it counts if the file above isn't there.
inline std::string former_forward_mark_file(const Folders& folders) {
  return folders.cni_settings + "/unicni/forward-mark-bit";
}
inline constexpr unsigned kDefaultForwardMarkBit = 12;
/// Of the rules that accept it, so that an administrator finds out whose they are. Those of 0.1.0
/// have none.
inline constexpr const char* kForwardMarkComment =
    "marked by unicni, see: nft list table inet unicni";

/// The mark with that one bit. It is set and cleared inside the forward hook: neither routing nor
/// other hooks see it. No bit is free of everybody - 13 is the reference's, 14 and 15 Kubernetes',
/// 16 to 23 Tailscale's, the upper half Calico's, 8 to 11 Cilium's - so forward_mark_file() may
/// name another (0 to 31, decimal) for this host; rules with the old one are replaced by the next
/// verb. Throws Error (Code::invalid_config) if the file holds anything else, or if it or its
/// folder can be written by others than root (rootless: than the caller).
std::uint32_t forward_mark(const Folders& folders);
/// The same for those who only look and take away: 0 where it throws.
std::uint32_t find_forward_mark(const Folders& folders) noexcept;

/// Of rules listed from foreign chains, whatever the kind of table: whether one accepts packets by
/// our mark as it is now.
template <class Rule>
bool accepts_forward_mark(const Rule& rule, const Folders& folders) {
  return rule.accepts && rule.mark != 0 && rule.mark == find_forward_mark(folders);
}
/// Also those from the time when the host's setting was another.
template <class Rule>
bool accepts_any_forward_mark(const Rule& rule) {
  return rule.accepts && std::has_single_bit(rule.mark);
}

}  // namespace unicni::net
