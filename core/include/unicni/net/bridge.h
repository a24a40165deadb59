// Bridges and what is special about their ports; their VLANs are those of bridge_vlan.h.
#pragma once

#include <cstdint>
#include <string>

#include "unicni/net/link_kind.h"

namespace unicni::net {

inline constexpr LinkKind kBridge{"bridge", "bridge"};

struct BridgeSpec {
  std::string name;
  Mac mac;  ///< given once, so that it never follows the ports
  std::uint32_t mtu = 0;
  std::string alias = {};       ///< as VethSpec::alias
  bool vlan_filtering = false;  ///< ports belong to VLANs; EOPNOTSUPP without
                                ///< CONFIG_BRIDGE_VLAN_FILTERING
};
/// UP, multicast snooping and STP as the kernel has them. EEXIST is an error here.
void add_bridge(Batch&, const BridgeSpec&);

/// Of a bridge's port.
enum class PortFlag : std::uint8_t {
  isolated,  ///< doesn't reach other isolated ports (IFLA_BRPORT_ISOLATED)
  hairpin,   ///< may get its own frames back (IFLA_BRPORT_MODE)
};
void set_port_flag(Batch&, const LinkRef&, PortFlag flag, bool on);

}  // namespace unicni::net
