// Routes by rtnetlink: of a link, of a table, and the kernel's own answer to where a packet goes.
#include "unicni/net/route.h"

#include <fmt/core.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <cerrno>
#include <initializer_list>

#include "net/attribute.h"
#include "net/single_request.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

/// The route, its table or its link is gone.
constexpr std::initializer_list<int> kGone = {ESRCH, ENOENT, ENODEV};

constexpr std::uint8_t family_of(Family family) {
  return family == Family::v4 ? AF_INET : AF_INET6;
}

/// The kernel keeps some twenty metrics; the CNI result knows these two.
void parse_metrics(const nlattr* metrics, Route& route) {
  for_each_attribute(metrics, [&](std::uint16_t type, const nlattr* attribute) {
    if (type == RTAX_MTU) route.mtu = value_of<std::uint32_t>(attribute);
    if (type == RTAX_ADVMSS) route.advmss = value_of<std::uint32_t>(attribute);
  });
}

/// RTA_MULTIPATH: one entry for each next hop (IPv6 routes to one destination by several gateways
/// come like this).
void add_hops(const nlattr* multipath, const RouteEntry& shared, std::vector<RouteEntry>& entries) {
  const std::string_view bytes = bytes_of(multipath);
  const auto* hop = reinterpret_cast<const rtnexthop*>(bytes.data());
  auto left = static_cast<int>(bytes.size());
  while (left >= static_cast<int>(sizeof *hop) && hop->rtnh_len >= sizeof *hop &&
         hop->rtnh_len <= left) {
    RouteEntry entry = shared;
    entry.index = hop->rtnh_ifindex;
    entry.onlink = (hop->rtnh_flags & RTNH_F_ONLINK) != 0;
    const AttributeRow row(reinterpret_cast<const nlattr*>(RTNH_DATA(hop)),
                           hop->rtnh_len - static_cast<int>(RTNH_LENGTH(0)));
    for_each_attribute(row, [&](std::uint16_t type, const nlattr* attribute) {
      if (type == RTA_GATEWAY) entry.route.gw = address_of(attribute);
    });
    entries.push_back(std::move(entry));
    left -= static_cast<int>(RTNH_ALIGN(hop->rtnh_len));
    hop = RTNH_NEXT(hop);
  }
}

/// Local, broadcast and unreachable routes are the kernel's or an administrator's business. Cloned
/// ones are entries of a cache.
void parse_route(const nlmsghdr* message, Family family, std::vector<RouteEntry>& entries) {
  const auto& header = family_header<rtmsg>(message);
  if (header.rtm_family != family_of(family) || header.rtm_type != RTN_UNICAST ||
      (header.rtm_flags & RTM_F_CLONED) != 0) {
    return;
  }
  RouteEntry entry;
  entry.protocol = header.rtm_protocol;
  // Holds tables below 256 only. RTA_TABLE, which follows, holds all.
  entry.route.table = header.rtm_table;
  entry.route.scope = header.rtm_scope;
  entry.onlink = (header.rtm_flags & RTNH_F_ONLINK) != 0;
  IpAddress destination = family == Family::v4 ? IpAddress::v4(0) : IpAddress::v6({});
  const nlattr* multipath = nullptr;
  for_each_attribute(message, sizeof header, [&](std::uint16_t type, const nlattr* attribute) {
    switch (type) {
      case RTA_DST:
        destination = address_of(attribute);
        break;
      case RTA_GATEWAY:
        entry.route.gw = address_of(attribute);
        break;
      case RTA_PREFSRC:
        entry.src = address_of(attribute);
        break;
      case RTA_OIF:
        entry.index = value_of<int>(attribute);
        break;
      case RTA_PRIORITY:
        entry.route.priority = value_of<std::uint32_t>(attribute);
        break;
      case RTA_TABLE:
        entry.route.table = value_of<std::uint32_t>(attribute);
        break;
      case RTA_METRICS:
        parse_metrics(attribute, entry.route);
        break;
      case RTA_MULTIPATH:
        multipath = attribute;
        break;
      default:
        break;
    }
  });
  entry.route.dst = IpNet(destination, header.rtm_dst_len);
  if (multipath != nullptr) {
    add_hops(multipath, entry, entries);
  } else {
    entries.push_back(std::move(entry));
  }
}

/// `index` and `table` 0: any.
std::vector<RouteEntry> dump_routes(Netlink& netlink, Family family, int index,
                                    std::uint32_t table) {
  SingleRequest request(RTM_GETROUTE, NLM_F_DUMP);
  auto& header = put_header<rtmsg>(request);
  header.rtm_family = family_of(family);
  header.rtm_type = RTN_UNICAST;
  if (index != 0) put_u32(request, RTA_OIF, static_cast<std::uint32_t>(index));
  if (table != 0) put_u32(request, RTA_TABLE, table);

  std::vector<RouteEntry> entries;
  const int error =
      netlink.ask(request, [&](const nlmsghdr* message) { parse_route(message, family, entries); });
  // IPv4's tables don't exist before their first route, and a link may be gone.
  if ((error == ENOENT && table != 0) || (error == ENODEV && index != 0)) return {};
  if (error != 0) throw system_error(error, fmt::format("list routes of link {}", index));
  return entries;
}

/// Serves adding and removing. For a removal the kernel compares what the message has and takes the
/// first route that fits, so the more is said the surer it is the right one.
void put_whole_route(nl_msg* message, const LinkRef& link, const RouteEntry& entry) {
  const Route& route = entry.route;
  auto& header = put_header<rtmsg>(message);
  const std::uint32_t table = route.table.value_or(RT_TABLE_MAIN);
  header.rtm_family = family_of(route.dst.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(route.dst.prefix_length());
  // One byte; the kernel reads RTA_TABLE first.
  header.rtm_table = static_cast<std::uint8_t>(table < 256 ? table : 0);
  header.rtm_protocol = static_cast<std::uint8_t>(entry.protocol);
  header.rtm_scope = static_cast<std::uint8_t>(route.scope.value_or(RT_SCOPE_UNIVERSE));
  header.rtm_type = RTN_UNICAST;
  if (entry.onlink) header.rtm_flags = RTNH_F_ONLINK;
  // A default route is one without destination.
  if (!route.dst.is_default()) put_address(message, RTA_DST, route.dst.address());
  put_u32(message, RTA_OIF, static_cast<std::uint32_t>(link.index));
  put_u32(message, RTA_TABLE, table);
  if (route.gw && !route.gw->is_unspecified()) put_address(message, RTA_GATEWAY, *route.gw);
  if (entry.src) put_address(message, RTA_PREFSRC, *entry.src);
  if (route.priority != 0) put_u32(message, RTA_PRIORITY, route.priority);
  if (route.mtu == 0 && route.advmss == 0) return;
  const Nest metrics(message, RTA_METRICS);
  if (route.mtu != 0) put_u32(message, RTAX_MTU, route.mtu);
  if (route.advmss != 0) put_u32(message, RTAX_ADVMSS, route.advmss);
}

/// Packets to ::1 that come in by this link are delivered. Without it the kernel drops answers to
/// ::1 that don't come from `lo`.
void put_loopback_route(nl_msg* message, int index) {
  constexpr std::uint32_t kBehindOthers = 4096;  // the kernel's own has metric 0
  auto& header = put_header<rtmsg>(message);
  header.rtm_family = AF_INET6;
  header.rtm_dst_len = 128;
  header.rtm_table = RT_TABLE_LOCAL;
  header.rtm_protocol = RTPROT_BOOT;
  header.rtm_type = RTN_LOCAL;
  put_address(message, RTA_DST, IpAddress::parse("::1").value());
  put_u32(message, RTA_OIF, static_cast<std::uint32_t>(index));
  put_u32(message, RTA_PRIORITY, kBehindOthers);
}

}  // namespace

void add_loopback_route(Batch& batch, const LinkRef& link) {
  // Not NLM_F_EXCL, by which another link's route is taken for this one.
  put_loopback_route(batch.add(RTM_NEWROUTE, NLM_F_CREATE,
                               fmt::format("add route local ::1 dev {}", link.name), {EEXIST}),
                     link.index);
}

void remove_loopback_route(Batch& batch, const LinkRef& link) {
  put_loopback_route(
      batch.add(RTM_DELROUTE, 0, fmt::format("delete route local ::1 dev {}", link.name), kGone),
      link.index);
}

namespace {

void add(Batch& batch, const LinkRef& link, const RouteEntry& entry) {
  // EEXIST without NLM_F_EXCL means: the same destination, metric, gateway and device.
  nl_msg* message =
      batch.add(RTM_NEWROUTE, NLM_F_CREATE,
                fmt::format("add route {} dev {}", describe(entry.route), link.name), {EEXIST});
  put_whole_route(message, link, entry);
}

}  // namespace

/// RTPROT_BOOT is what `ip route add` uses: routing daemons leave such routes alone.
void add_route(Batch& batch, const LinkRef& link, const Route& route,
               const std::optional<IpAddress>& src) {
  add(batch, link, {route, link.index, RTPROT_BOOT, src});
}

/// RTNH_F_ONLINK: the kernel takes the gateway for a neighbour, although no route to it is on this
/// link.
void add_onlink_route(Batch& batch, const LinkRef& link, const Route& route) {
  add(batch, link, {route, link.index, RTPROT_BOOT, {}, true});
}

/// Appended, as several routes with one destination and metric are told apart by their order
/// (IPv4), or are hops of one route (IPv6).
void put_route(Batch& batch, const LinkRef& link, const RouteEntry& entry) {
  nl_msg* message =
      batch.add(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_APPEND,
                fmt::format("add route {} dev {}", describe(entry.route), link.name), {EEXIST});
  put_whole_route(message, link, entry);
}

void remove_route(Batch& batch, const LinkRef& link, const RouteEntry& entry) {
  nl_msg* message =
      batch.add(RTM_DELROUTE, 0,
                fmt::format("delete route {} dev {}", describe(entry.route), link.name), kGone);
  put_whole_route(message, link, entry);
}

/// The route that the kernel made when the address was added (RTPROT_KERNEL). An equal one that
/// somebody added by hand stays.
void remove_connected_route(Batch& batch, const LinkRef& link, const IpNet& net) {
  nl_msg* message = batch.add(
      RTM_DELROUTE, 0, fmt::format("remove route {} dev {}", net.masked().str(), link.name), kGone);
  auto& header = put_header<rtmsg>(message);
  header.rtm_family = family_of(net.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(net.prefix_length());
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_KERNEL;
  header.rtm_scope = RT_SCOPE_NOWHERE;  // any
  put_address(message, RTA_DST, net.network());
  put_u32(message, RTA_OIF, static_cast<std::uint32_t>(link.index));
}

std::vector<RouteEntry> list_routes(Netlink& netlink, Family family, int index) {
  std::vector<RouteEntry> entries = dump_routes(netlink, family, index, 0);
  // The kernel's filter lets a multipath route through if any of its hops fits.
  std::erase_if(entries,
                [index](const RouteEntry& entry) { return index != 0 && entry.index != index; });
  return entries;
}

/// In the kernel's order, which is by metric within a table, so the first one is the one that
/// packets take.
std::optional<int> find_default_link(Netlink& netlink) {
  for (const Family family : {Family::v4, Family::v6}) {
    for (const RouteEntry& entry : dump_routes(netlink, family, 0, RT_TABLE_MAIN)) {
      if (entry.route.dst.is_default() && entry.index > 0) return entry.index;
    }
  }
  return std::nullopt;
}

namespace {

struct Way {
  std::optional<int> link;
  unsigned prefix_length = 0;
};

/// The kernel's answer to where packets to `address` go; `flags` RTM_F_FIB_MATCH: the route itself,
/// whose length tells a default one, and which has a link only if it isn't one of several; else
/// what it comes to, which is one link then as well. Nothing for what isn't unicast.
Way ask_way(Netlink& netlink, const IpAddress& address, unsigned flags) {
  SingleRequest request(RTM_GETROUTE);
  auto& header = put_header<rtmsg>(request);
  header.rtm_family = family_of(address.family());
  header.rtm_dst_len = static_cast<std::uint8_t>(address.is_v4() ? 32 : 128);
  header.rtm_flags = flags;
  put_address(request, RTA_DST, address);
  Way way;
  netlink.ask(request, [&](const nlmsghdr* message) {
    const auto& route = family_header<rtmsg>(message);
    if (route.rtm_type != RTN_UNICAST) return;
    way.prefix_length = route.rtm_dst_len;
    for_each_attribute(message, sizeof route, [&](std::uint16_t type, const nlattr* attribute) {
      if (type == RTA_OIF) way.link = value_of<int>(attribute);
    });
  });
  return way;
}

}  // namespace

/// A default route is no evidence that the address is behind its link: it leads to everything that
/// nobody knows.
std::optional<int> find_link_to(Netlink& netlink, const IpAddress& address) {
  const Way route = ask_way(netlink, address, RTM_F_FIB_MATCH);
  if (route.prefix_length == 0) return std::nullopt;
  return route.link ? route.link : ask_way(netlink, address, 0).link;
}

/// In the words of ip-route(8), so that it can be pasted behind `ip route add`.
std::string describe(const Route& route) {
  std::string text = route.dst.str();
  if (route.gw) text += fmt::format(" via {}", route.gw->str());
  if (route.table) text += fmt::format(" table {}", *route.table);
  if (route.priority != 0) text += fmt::format(" metric {}", route.priority);
  if (route.scope) text += fmt::format(" scope {}", *route.scope);
  if (route.mtu != 0) text += fmt::format(" mtu {}", route.mtu);
  if (route.advmss != 0) text += fmt::format(" advmss {}", route.advmss);
  return text;
}

}  // namespace unicni::net
