// Elements of our nftables sets for firewall's "ingressPolicy".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "unicni/ip.h"
#include "unicni/netfilter/element.h"

namespace unicni::net {

/// "ingressPolicy" of firewall for what would reach `address` through `bridge`.
enum class IngressPolicy : std::uint8_t {
  same_bridge,  ///< nothing from other bridges that have a policy
  isolated,     ///< nor from the same bridge, if it is routed (or bridge-nf-call-iptables is on)
};
/// Throws Error (Code::invalid_config) if `bridge` is no interface name, as does the next one.
std::vector<NftElement> ingress_elements(IngressPolicy policy, const std::string& bridge,
                                         const IpAddress& address, const std::string& owner);
/// `bridge` has attachments with a policy; of the network, until no ingress element is about it.
NftElement policy_interface_element(const std::string& bridge, const std::string& network);

}  // namespace unicni::net
