// Routes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unicni/net/link.h"
#include "unicni/result.h"

namespace unicni::net {

/// A route of the table `main` unless Route::table says otherwise, protocol boot, type unicast,
/// scope universe unless Route::scope says otherwise; `gw` unset: on-link. mtu and advmss become
/// RTAX metrics. An identical route is success (the reference fails on it; a default route by
/// isDefaultGateway and by IPAM is the usual case). Same dst with another gateway: added beside it,
/// as the reference (NLM_F_CREATE only). `src`: the address that packets take as source.
void add_route(Batch&, const LinkRef&, const Route&,
               const std::optional<IpAddress>& src = std::nullopt);
/// The same by a gateway that no address or route of the link says to be on it.
void add_onlink_route(Batch&, const LinkRef&, const Route&);
/// The route to the subnet of `net` that the kernel made when the link got this address; that there
/// is none is fine.
void remove_connected_route(Batch&, const LinkRef&, const IpNet& net);

struct RouteEntry {
  Route route;            ///< priority as the kernel holds it (IPv6: 1024 where none was given)
  int index = 0;          ///< output link
  unsigned protocol = 0;  ///< RTPROT_KERNEL, RTPROT_BOOT …
  std::optional<IpAddress> src = {};  ///< RTA_PREFSRC: whom packets come from by default
  bool onlink = false;  ///< RTNH_F_ONLINK: the gateway is a neighbour whatever its address
};
/// Unicast routes of all tables in one family that leave by link `index`; 0: by any. A link
/// that is gone has none.
std::vector<RouteEntry> list_routes(Netlink&, Family, int index);

/// The link that the first default route of the table main leaves by, in the kernel's order: IPv4
/// before IPv6, lowest metric first. nullopt: there is none.
std::optional<int> find_default_link(Netlink&);

/// The link that this host's packets to `address` leave by, whatever rule or table says so.
/// nullopt: there is no way or none but a default route, or the address is this host's own.
std::optional<int> find_link_to(Netlink&, const IpAddress& address);

/// The route of `entry` by this link, whatever entry.index says, beside others to that destination.
/// One that is the same is success.
void put_route(Batch&, const LinkRef&, const RouteEntry& entry);
/// Takes away the link's route that has all that `entry` says. One that is gone is success.
void remove_route(Batch&, const LinkRef&, const RouteEntry& entry);

/// `local ::1` of table local by a second link. The kernel takes packets to ::1, after NAT answers,
/// only from links that such a route names, which is lo alone (net/ipv6/route.c,
/// ip6_route_input_lookup). One that is there, or is gone, is success.
void add_loopback_route(Batch&, const LinkRef&);
void remove_loopback_route(Batch&, const LinkRef&);

/// "10.0.0.0/8 via 10.1.0.1 table 7 …", for messages.
std::string describe(const Route&);

}  // namespace unicni::net
