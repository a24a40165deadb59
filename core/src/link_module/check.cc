// CHECK of addresses and routes, which every interface module has in common.
#include "link_module/check.h"

#include <fmt/core.h>

#include <algorithm>

#include "unicni/error.h"
#include "unicni/host_side.h"
#include "unicni/net/addr.h"
#include "unicni/net/route.h"

namespace unicni::link_module {

namespace {

/// Only what prevResult says is compared. A field that it leaves out may have any value in the
/// kernel.
bool matches(const Route& wanted, const Route& seen) {
  if (wanted.dst.masked() != seen.dst) return false;
  if (wanted.gw && !wanted.gw->is_unspecified() && wanted.gw != seen.gw) return false;
  if (wanted.table && *wanted.table != 0 && wanted.table != seen.table) return false;
  if (wanted.priority != 0 && wanted.priority != seen.priority) return false;
  if (wanted.mtu != 0 && wanted.mtu != seen.mtu) return false;
  if (wanted.advmss != 0 && wanted.advmss != seen.advmss) return false;
  // The kernel has no scopes in IPv6.
  return !wanted.scope || !wanted.dst.is_v4() || wanted.scope == seen.scope;
}

constexpr const char* kAddAgain = "the attachment is broken: DEL and ADD it again";

/// The kernel makes it with the address; ptp has another one in its place. Without any, neighbours
/// are looked for behind the default route. A network of one address has none, nor one that begins
/// with 0 (fib_add_ifaddr() of net/ipv4/fib_frontend.c).
void require_way_to_subnet(const Call& call, const IpNet& address, const net::Link& link,
                           SeenRoutes& routes) {
  if (!link.up || address.prefix_length() == address.address().bits()) return;
  if (address.is_v4() && address.network() < IpAddress::v4(1U << 24)) return;
  const std::vector<net::RouteEntry>& present = routes.of(address.family());
  if (std::any_of(present.begin(), present.end(), [&](const net::RouteEntry& each) {
        return each.route.dst == address.masked();
      })) {
    return;
  }
  throw Error(Code::internal,
              fmt::format("the route to {}, the subnet of {} on {}, is missing in {}",
                          address.masked().str(), address.str(), link.name, call.netns),
              kAddAgain);
}

}  // namespace

const std::vector<net::RouteEntry>& SeenRoutes::of(Family family) {
  auto& seen = family == Family::v4 ? v4_ : v6_;
  if (!seen) seen = net::list_routes(host_.container_links(), family, 0);
  return *seen;
}

void check_addresses(const Call& call, Host& host, const net::Link& link, SeenRoutes& routes) {
  const std::vector<IpNet> present = net::list_addrs(host.container_links(), link.index);
  for (const IpNet& address : attachment_addresses(*call.prev_result, call.key.if_name)) {
    if (std::find(present.begin(), present.end(), address) == present.end()) {
      throw Error(
          Code::internal,
          fmt::format("address {} is missing on {} in {}", address.str(), link.name, call.netns),
          kAddAgain);
    }
    require_way_to_subnet(call, address, link, routes);
  }
}

void require_addresses(const Call& call, Host& host, const std::vector<IpNet>& addresses,
                       const net::Link& link, SeenRoutes& routes) {
  const std::vector<IpNet> present = net::list_addrs(host.container_links(), link.index);
  for (const IpNet& address : addresses) {
    if (std::find(present.begin(), present.end(), address) == present.end()) {
      throw Error(Code::internal,
                  fmt::format("address {}, which IPAM {} has for it by now, is missing on {} in {}",
                              address.str(), call.ipam_type, link.name, call.netns),
                  kAddAgain);
    }
    require_way_to_subnet(call, address, link, routes);
  }
}

void check_routes(const Call& call, SeenRoutes& routes) {
  for (const Route& route : call.prev_result->routes) {
    const auto& present = routes.of(route.dst.family());
    const bool found = std::any_of(present.begin(), present.end(), [&](const net::RouteEntry& e) {
      return matches(route, e.route);
    });
    if (!found) {
      throw Error(Code::internal,
                  fmt::format("route {} is missing in {}", net::describe(route), call.netns),
                  kAddAgain);
    }
  }
}

}  // namespace unicni::link_module
