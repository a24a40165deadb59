// 802.1Q VLANs of another link.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/net/link_kind.h"

namespace unicni::net {

inline constexpr LinkKind kVlan{"vlan", "8021q"};

/// `vlan_id` 0 to 4094.
void add_vlan(Batch&, const LinkSpec&, std::uint16_t vlan_id);
/// nullopt: it is no VLAN, or is gone.
std::optional<std::uint16_t> find_vlan_id(Netlink&, const std::string& name);

}  // namespace unicni::net
