#include "hops.h"

#include <fmt/core.h>

#include <algorithm>

#include "unicni/error.h"

namespace unicni::ptp {

namespace {

constexpr std::uint32_t kScopeHost = 254;  // RT_SCOPE_HOST
constexpr std::uint32_t kScopeLink = 253;  // RT_SCOPE_LINK

/// The address alone: /32 or /128.
IpNet alone(const IpAddress& address) { return {address, address.bits()}; }

void add_once(std::vector<HopRoute>& routes, HopRoute route) {
  const bool known = std::any_of(routes.begin(), routes.end(), [&](const HopRoute& each) {
    return each.route.dst == route.route.dst;
  });
  if (!known) routes.push_back(std::move(route));
}

}  // namespace

void require_gateways(const Result& result, const std::string& ipam_type) {
  for (const IpConfig& ip : result.ips) {
    const IpAddress& own = ip.address.address();
    if (ip.gateway && ip.gateway->family() == own.family() && *ip.gateway != own &&
        !ip.gateway->is_unspecified()) {
      continue;
    }
    throw Error(Code::invalid_config,
                fmt::format("IPAM {} gave {} {}", ipam_type, ip.address.str(),
                            ip.gateway ? "the gateway " + ip.gateway->str() : "no gateway"),
                "ptp gives the gateway's address to the host's end of the link: set \"gateway\" in "
                "\"ipam\" to another address of that family");
  }
}

std::vector<HopRoute> gateway_routes(const Result& result) {
  std::vector<HopRoute> routes;
  for (const IpConfig& ip : result.ips) {
    Route route;
    route.dst = alone(*ip.gateway);
    route.scope = kScopeLink;
    add_once(routes, {route, ip.address.address()});
  }
  return routes;
}

std::vector<HopRoute> subnet_routes(const Result& result) {
  std::vector<HopRoute> routes;
  for (const IpConfig& ip : result.ips) {
    if (ip.address == alone(ip.address.address())) continue;
    Route route;
    route.dst = ip.address.masked();
    route.gw = ip.gateway;
    add_once(routes, {route, ip.address.address()});
  }
  return routes;
}

std::vector<IpNet> host_addresses(const Result& result) {
  std::vector<IpNet> addresses;
  for (const IpConfig& ip : result.ips) {
    const IpNet gateway = alone(*ip.gateway);
    if (std::find(addresses.begin(), addresses.end(), gateway) == addresses.end()) {
      addresses.push_back(gateway);
    }
  }
  return addresses;
}

std::vector<Route> host_routes(const Result& result) {
  std::vector<Route> routes;
  for (const IpConfig& ip : result.ips) {
    Route route;
    route.dst = alone(ip.address.address());
    route.scope = kScopeHost;
    routes.push_back(route);
  }
  return routes;
}

}  // namespace unicni::ptp
