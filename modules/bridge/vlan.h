// VLANs of the container's port, and the gateway of a VLAN.
#pragma once

#include "config.h"
#include "unicni/link_module.h"
#include "unicni/net/bridge_vlan.h"

namespace unicni::bridge {

/// The VLANs that the options give the container's port: the default one aside, in order.
std::vector<net::PortVlan> port_vlans(const BridgeOptions& options);

/// Puts them on the port. Throws Error.
void put_port_vlans(net::Netlink& links, const BridgeOptions& options, const net::LinkRef& port);

/// The interface "<bridge>.<vlan>", UP: one end of a veth whose other end is a port of the bridge
/// in that VLAN. Made, or found as an earlier ADD made it. Throws Error.
net::Link ensure_vlan_gateway(LinkAdd& add, const net::Link& bridge);

/// CHECK: the port's VLANs are those of the options. Throws Error naming the first that isn't.
void check_port_vlans(net::Netlink& links, const BridgeOptions& options, const net::Link& port);

}  // namespace unicni::bridge
