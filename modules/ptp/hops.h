// The routes of a point-to-point link: on either side the other end is the only neighbour.
#pragma once

#include <vector>

#include "unicni/mac.h"
#include "unicni/result.h"

namespace unicni::ptp {

struct HopRoute {
  Route route;
  IpAddress src;  ///< container's routes only
};

/// Throws Error(invalid_config) for an address that has no gateway of its own family beside itself:
/// the gateway is what the host's end answers to.
void require_gateways(const Result& result, const std::string& ipam_type);

/// In the container, before the routes of the result, which go by the gateway: the gateways, each
/// once, on-link.
std::vector<HopRoute> gateway_routes(const Result& result);
/// In the container, instead of the kernel's connected routes: the subnets by their gateways, so
/// that neighbours of the subnet, which are behind other links, are reached. An address that is a
/// whole subnet (/32, /128) needs none.
std::vector<HopRoute> subnet_routes(const Result& result);

/// On the host: the gateways' addresses, each once.
std::vector<IpNet> host_addresses(const Result& result);
/// On the host: the container's addresses, scope host as the reference.
std::vector<Route> host_routes(const Result& result);

}  // namespace unicni::ptp
