#include "gateway.h"

#include <fmt/core.h>

#include <algorithm>

#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/forwarding.h"
#include "unicni/net/sysctl.h"
#include "unicni/undo/shared_address.h"

namespace unicni::bridge {

namespace {

IpNet default_route(Family family) {
  return family == Family::v4 ? IpNet(IpAddress::v4(0), 0) : IpNet(IpAddress::v6({}), 0);
}

/// Addresses of the bridge that can't stay beside `wanted`.
std::vector<IpNet> conflicts(const std::vector<IpNet>& present, const IpNet& wanted) {
  std::vector<IpNet> found;
  for (const IpNet& net : present) {
    if (net == wanted || net.family() != wanted.family()) continue;
    if (net.is_v4() || (net.overlaps(wanted) && !net.address().is_link_local()))
      found.push_back(net);
  }
  return found;
}

}  // namespace

void default_gateways(Result& result) {
  for (IpConfig& ip : result.ips) {
    if (ip.gateway) continue;
    if (ip.address.prefix_length() == ip.address.address().bits()) {
      throw Error(Code::invalid_config,
                  fmt::format("isGateway: the container's address is {}, a subnet in which the "
                              "bridge can't have an address, too",
                              ip.address.str()),
                  "give the subnet a shorter prefix length in \"ipam\", or leave isGateway out");
    }
    ip.gateway = ip.address.network().plus(1);
    // Of the two addresses of a /31 or /127 the container may have the second (RFC 3021, RFC 6164).
    const bool is_pair = ip.address.prefix_length() == ip.address.address().bits() - 1;
    if (is_pair && ip.gateway == ip.address.address()) ip.gateway = ip.address.network();
  }
}

void add_default_routes(Result& result) {
  for (const IpConfig& ip : result.ips) {
    const IpNet dst = default_route(ip.address.family());
    const auto existing = std::find_if(result.routes.begin(), result.routes.end(),
                                       [&](const Route& route) { return route.dst == dst; });
    if (existing != result.routes.end()) {
      // IPAM's own default route without a gateway means this one.
      if (!existing->gw) existing->gw = ip.gateway;
      continue;
    }
    Route route;
    route.dst = dst;
    route.gw = ip.gateway;
    result.routes.push_back(route);
  }
}

std::vector<IpNet> gateways_of(const Result& result) {
  std::vector<IpNet> gateways;
  for (const IpConfig& ip : result.ips) {
    if (!ip.gateway) continue;
    const IpNet gateway(*ip.gateway, ip.address.prefix_length());
    if (std::find(gateways.begin(), gateways.end(), gateway) == gateways.end()) {
      gateways.push_back(gateway);
    }
  }
  return gateways;
}

GatewayPlan plan_gateways(const std::string& link, const std::vector<IpNet>& present,
                          const std::vector<IpNet>& gateways, bool force) {
  GatewayPlan plan;
  for (const IpNet& wanted : gateways) {
    if (std::find(present.begin(), present.end(), wanted) != present.end()) continue;
    plan.add.push_back(wanted);
    for (const IpNet& other : conflicts(present, wanted)) {
      if (force) {
        plan.remove.push_back(other);
        continue;
      }
      throw Error(
          Code::internal,
          fmt::format("{} has address {}, this network's gateway is {}", link, other.str(),
                      wanted.str()),
          fmt::format("if it is a left-over: ip addr del {} dev {}; or set forceAddress, or "
                      "use another bridge",
                      other.str(), link));
    }
  }
  return plan;
}

bool has_ipv6(const Result& result) {
  return std::any_of(result.ips.begin(), result.ips.end(),
                     [](const IpConfig& ip) { return !ip.address.is_v4(); });
}

void require_reachable(const Result& result) {
  for (const IpConfig& ip : result.ips) {
    if (!ip.gateway) continue;
    const IpAddress& gateway = *ip.gateway;
    const bool neighbour = !gateway.is_v4() && gateway.is_link_local();
    if (gateway != ip.address.address() && (neighbour || ip.address.contains(gateway))) continue;
    throw Error(Code::invalid_config,
                gateway == ip.address.address()
                    ? fmt::format("gateway: {} is the container's own address", gateway.str())
                    : fmt::format("gateway: {} is not in {}, the subnet of the container's address",
                                  gateway.str(), ip.address.masked().str()),
                "the bridge gets this address (\"isGateway\"), so it must be another one of the "
                "subnet: correct \"gateway\" in \"ipam\"");
  }
}

void check_gateways(Host& host, const net::Link& link, const Result& result) {
  const std::vector<IpNet> present = net::list_addrs(host.host_links(), link.index);
  for (const IpNet& wanted : gateways_of(result)) {
    // One that somebody gave another prefix length serves as well.
    const bool is_there = std::any_of(present.begin(), present.end(), [&](const IpNet& each) {
      return each.address() == wanted.address();
    });
    if (!is_there) {
      throw Error(Code::internal,
                  fmt::format("gateway address {} is missing on {}", wanted.str(), link.name),
                  fmt::format("ip addr add {} dev {}", wanted.str(), link.name));
    }
    if (net::is_forwarding(host.host_links(), wanted.family())) continue;
    throw Error(
        Code::internal,
        fmt::format("the host doesn't forward IPv{} packets", static_cast<int>(wanted.family())),
        wanted.is_v4() ? "sysctl -w net.ipv4.ip_forward=1"
                       : "sysctl -w net.ipv6.conf.all.forwarding=1");
  }
}

void put_gateways(net::Batch& batch, Host& host, const net::Link& link, const GatewayPlan& plan) {
  const bool ipv6 = std::any_of(plan.add.begin(), plan.add.end(),
                                [](const IpNet& wanted) { return !wanted.is_v4(); });
  if (ipv6) net::ensure_ipv6(link.name, host.container_netns());
  for (const IpNet& other : plan.remove) {
    net::remove_addr(batch, link, other, true);
  }
  for (const IpNet& wanted : plan.add) {
    host.undo().announce(undo_shared_address(link.name, wanted));
    net::add_addr(batch, link, wanted, net::Dad::skip, true);
  }
}

}  // namespace unicni::bridge
