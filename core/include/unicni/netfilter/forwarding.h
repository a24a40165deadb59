// Elements of our nftables sets for firewall: what may be forwarded where a foreign FORWARD
// chain drops (forward_gate.h).
#pragma once

#include <string>

#include "unicni/ip.h"
#include "unicni/netfilter/element.h"

namespace unicni::net {

/// An attachment whose traffic may be forwarded also where a foreign FORWARD chain drops:
/// what comes from `address` through `interface`, and the answers. `interface` is the host's side:
/// the bridge, or the host end of a ptp. Throws Error (Code::invalid_config) for a bad name, as
/// does the next one.
NftElement forward_element(const std::string& interface, const IpAddress& address,
                           const std::string& owner);
/// Neighbour discovery passes between such interfaces; of the network: it goes
/// when no forward_element() is about that interface any more.
NftElement forward_interface_element(const std::string& interface, const std::string& network);

}  // namespace unicni::net
