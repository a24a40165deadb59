// Links with a MAC of their own on another one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/net/link_kind.h"

namespace unicni::net {

inline constexpr LinkKind kMacvlan{"macvlan", "macvlan"};
enum class MacvlanMode : std::uint32_t { private_ = 1, vepa = 2, bridge = 4, passthru = 8 };

/// `bc_queue_len`: IFLA_MACVLAN_BC_QUEUE_LEN, packets; 0: the kernel's default.
void add_macvlan(Batch&, const LinkSpec&, MacvlanMode mode, std::uint32_t bc_queue_len);
/// nullopt: it is no macvlan, or is gone.
std::optional<MacvlanMode> find_macvlan_mode(Netlink&, const std::string& name);

}  // namespace unicni::net
