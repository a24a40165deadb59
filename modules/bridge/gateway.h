// The bridge as the containers' gateway: its addresses, default routes, forwarding.
#pragma once

#include <vector>

#include "unicni/host.h"
#include "unicni/net/link.h"
#include "unicni/result.h"

namespace unicni::bridge {

/// Every address without a gateway gets the first of its subnet. Throws Error(invalid_config) if
/// that has no other address.
void default_gateways(Result& result);
/// One default route per family of the addresses, unless a default route is there already.
void add_default_routes(Result& result);
/// Each gateway is another address of its address's subnet, or one of IPv6's link-local ones: the
/// bridge gets it together with the subnet's prefix, and nothing else tells the host the way to the
/// container. Throws Error(invalid_config).
void require_reachable(const Result& result);
bool has_ipv6(const Result& result);
/// What the bridge must have: gateway and prefix of each address, once each.
std::vector<IpNet> gateways_of(const Result& result);

/// What has to change on the bridge so that it has the gateways' addresses.
struct GatewayPlan {
  std::vector<IpNet> add;
  std::vector<IpNet> remove;  ///< only with `force`
};
/// Compares `present`, the addresses of `link` (the bridge, or its VLAN's interface), with
/// `gateways`. Throws Error, naming the command that mends it, if another IPv4 address or an IPv6
/// subnet that overlaps is in the way, unless `force` allows to replace it.
GatewayPlan plan_gateways(const std::string& link, const std::vector<IpNet>& present,
                          const std::vector<IpNet>& gateways, bool force);
/// CHECK: `link`, the bridge or its VLAN's interface, has the gateways' addresses, and the host
/// forwards their families' packets. Throws Error.
void check_gateways(Host& host, const net::Link& link, const Result& result);
/// Puts what the plan says into `batch`, announced to the undo log.
void put_gateways(net::Batch& batch, Host& host, const net::Link& link, const GatewayPlan& plan);

}  // namespace unicni::bridge
