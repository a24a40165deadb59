// Links with addresses of their own behind the MAC of another one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/net/link_kind.h"

namespace unicni::net {

inline constexpr LinkKind kIpvlan{"ipvlan", "ipvlan"};
enum class IpvlanMode : std::uint16_t { l2 = 0, l3 = 1, l3s = 2 };

void add_ipvlan(Batch&, const LinkSpec&, IpvlanMode mode);
/// nullopt: it is no ipvlan, or is gone.
std::optional<IpvlanMode> find_ipvlan_mode(Netlink&, const std::string& name);

}  // namespace unicni::net
