// CHECK of addresses and routes, which every interface module has in common.
#include "link_module/check.h"

#include <fmt/core.h>

#include <algorithm>

#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/route.h"

namespace unicni::link_module {

namespace {

/// prevResult names interfaces by index; an address without one belongs to the attachment's only
/// interface.
bool belongs_to(const IpConfig& ip, const Result& result, const Call& call) {
  if (!ip.interface) return true;
  const auto index = static_cast<std::size_t>(*ip.interface);
  if (*ip.interface < 0 || index >= result.interfaces.size()) return true;
  const Interface& interface = result.interfaces[index];
  return interface.name == call.key.if_name && interface.sandbox == call.netns;
}

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

}  // namespace

void check_addresses(const Call& call, Host& host, const Result& result, const net::Link& link) {
  const std::vector<IpNet> present = net::list_addrs(host.container_links(), link.index);
  for (const IpConfig& ip : result.ips) {
    if (!belongs_to(ip, result, call)) continue;
    if (std::find(present.begin(), present.end(), ip.address) == present.end()) {
      throw Error(
          Code::internal,
          fmt::format("address {} is missing on {} in {}", ip.address.str(), link.name, call.netns),
          "the attachment is broken: DEL and ADD it again");
    }
  }
}

void require_addresses(const Call& call, Host& host, const std::vector<IpNet>& addresses,
                       const net::Link& link) {
  const std::vector<IpNet> present = net::list_addrs(host.container_links(), link.index);
  for (const IpNet& address : addresses) {
    if (std::find(present.begin(), present.end(), address) != present.end()) continue;
    throw Error(Code::internal,
                fmt::format("address {}, which IPAM {} has for it by now, is missing on {} in {}",
                            address.str(), call.ipam_type, link.name, call.netns),
                "the attachment is broken: DEL and ADD it again");
  }
}

/// All links of the namespace are listed: a later plugin, such as vrf or sbr, may have moved a
/// route to another table, which list_routes() covers as well.
void check_routes(const Call& call, Host& host, const Result& result) {
  for (const Family family : {Family::v4, Family::v6}) {
    const bool wanted = std::any_of(result.routes.begin(), result.routes.end(),
                                    [&](const Route& r) { return r.dst.family() == family; });
    if (!wanted) continue;
    const auto present = net::list_routes(host.container_links(), family, 0);
    for (const Route& route : result.routes) {
      if (route.dst.family() != family) continue;
      const bool found = std::any_of(present.begin(), present.end(), [&](const net::RouteEntry& e) {
        return matches(route, e.route);
      });
      if (!found) {
        throw Error(Code::internal,
                    fmt::format("route {} is missing in {}", net::describe(route), call.netns),
                    "the attachment is broken: DEL and ADD it again");
      }
    }
  }
}

}  // namespace unicni::link_module
