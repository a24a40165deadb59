// VLANs of bridge ports. bridge(8), "bridge vlan"; needs CONFIG_BRIDGE_VLAN_FILTERING.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unicni/net/link.h"

namespace unicni::net {

inline constexpr std::uint16_t kLastVlan = 4094;

/// VLANs `first` to `last` of a port; the same for both: one VLAN.
struct PortVlan {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  bool pvid = false;      ///< untagged frames that come in belong to it (one VLAN only)
  bool untagged = false;  ///< its frames go out without tag
  friend bool operator==(const PortVlan&, const PortVlan&) = default;
};

/// Adds to the VLANs of a port. A kernel without VLAN filtering answers EOPNOTSUPP.
void add_port_vlan(Batch&, const LinkRef&, const PortVlan& vlan);
/// Removes every VLAN of a port, also the default one that it was born with.
void remove_port_vlans(Batch&, const LinkRef&);
/// The VLANs of one port, in order; neighbours with equal flags as one range. Empty on kernels
/// without VLAN filtering, and if the link is gone. Linux 5.6.
std::vector<PortVlan> list_port_vlans(Netlink&, int index);

}  // namespace unicni::net
