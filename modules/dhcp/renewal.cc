#include "renewal.h"

#include <fmt/core.h>

#include <algorithm>

#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/route.h"
#include "unicni/net/sysctl.h"
#include "values_v4.h"

namespace unicni::dhcp {

namespace {

constexpr std::uint32_t kMainTable = 254;  // RT_TABLE_MAIN
constexpr unsigned kBoot = 3;              // RTPROT_BOOT, which ADD's routes have

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += ' ' + word;
  return text;
}

std::vector<std::string> texts(const std::vector<IpAddress>& addresses) {
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) texts.push_back(address.str());
  return texts;
}

/// The kernel's entry for a route of a lease, where ADD or a renewal put it.
const net::RouteEntry* find_entry(const std::vector<net::RouteEntry>& present, const Route& route) {
  const auto gateway = route.gw && !route.gw->is_unspecified() ? route.gw : std::nullopt;
  const auto found = std::find_if(present.begin(), present.end(), [&](const auto& entry) {
    return entry.route.dst == route.dst && entry.route.gw == gateway &&
           entry.route.priority == route.priority && entry.route.table == kMainTable &&
           entry.protocol == kBoot;
  });
  return found == present.end() ? nullptr : &*found;
}

bool holds(const std::vector<Route>& routes, const Route& route) {
  return std::find(routes.begin(), routes.end(), route) != routes.end();
}

/// A hoster's gateway is a neighbour although no subnet says so.
bool is_neighbour(const IpNet& address, const std::vector<Route>& routes, const IpAddress& hop) {
  return address.contains(hop) || std::any_of(routes.begin(), routes.end(), [&](const Route& each) {
           return each.scope && each.dst.contains(hop);
         });
}

bool has_far_gateway(const GrantV4& grant, const std::vector<Route>& routes, const Route& route) {
  return route.gw && !route.gw->is_unspecified() && !is_neighbour(grant.address, routes, *route.gw);
}

/// The new ones first, so that there is always one. Where another plugin has moved the old ones, to
/// a table of its own, the new ones would be in its way.
/// `present`: before the address changed, which may have cost it all of them.
void change_routes(net::Netlink& links, const net::LinkRef& link, Lease& lease,
                   const std::vector<Route>& old, const std::vector<net::RouteEntry>& present,
                   std::vector<std::string>& untold) {
  const std::vector<Route> wanted = result_of(*lease.grant, lease.priority).routes;
  for (const Route& route : old) {
    if (find_entry(present, route) != nullptr) continue;
    if (wanted != old) {
      untold.push_back(
          fmt::format("routes of the server changed and stay as they are: {} isn't "
                      "where ADD put it",
                      net::describe(route)));
    }
    return;
  }
  net::Batch batch(links);
  for (const Route& route : wanted) {
    if (has_far_gateway(*lease.grant, wanted, route)) {
      net::add_onlink_route(batch, link, route);
    } else {
      net::add_route(batch, link, route);
    }
  }
  for (const Route& route : old) {
    if (!holds(wanted, route)) net::remove_route(batch, link, *find_entry(present, route));
  }
  if (!batch.empty()) batch.commit();
  if (wanted != old) lease.renewed_routes = true;
}

void change_mtu(net::Netlink& links, const net::LinkRef& link, Lease& lease,
                const std::optional<GrantV4>& was, std::vector<std::string>& untold) {
  if (lease.link_mtu == 0) return;  // of an earlier version
  const auto [wanted, problem] =
      fitting_mtu(*lease.grant, lease.link_mtu, has_ipv6(links, link, lease));
  const bool is_news = !was || mtu_of(*was) != mtu_of(*lease.grant);
  if (is_news && !problem.empty()) untold.push_back(problem);
  if (wanted == lease.mtu) return;
  const std::uint32_t now = net::get_link_mtu(links, link.name);
  if (now != lease.mtu) {
    untold.push_back(fmt::format("the server's MTU became {}; {} keeps {}, which others gave it",
                                 wanted, link.name, now));
    return;
  }
  net::Batch batch(links);
  net::change_link(batch, link, {.mtu = wanted});
  batch.commit();
  lease.mtu = wanted;
  lease.renewed_mtu = true;
}

/// With it an address of the same subnet outlives the one that was there first, and with it all
/// routes. Where settings can't be written (a read-only /proc) the lease's own routes are put there
/// again.
void promote_secondaries(const net::Netns& netns, const std::string& link) {
  netns.run([&] {
    try {
      net::set_sysctl(fmt::format("net/ipv4/conf/{}/promote_secondaries", link), "1");
    } catch (const Error&) {
      return;
    }
  });
}

/// The old address goes after the new one has come. The new one is put there once more, as it may
/// have gone along.
void change_address(const net::Netns& netns, net::Netlink& links, const net::LinkRef& link,
                    const Lease& lease, const std::optional<GrantV4>& was) {
  const bool moves = lease.grant && was && was->address != lease.grant->address;
  if (moves) promote_secondaries(netns, link.name);
  net::Batch batch(links);
  if (lease.grant) put_address(batch, link, *lease.grant);
  if (was && (moves || !lease.grant)) net::remove_addr(batch, link, was->address, true);
  if (moves) put_address(batch, link, *lease.grant);
  if (!batch.empty()) batch.commit();
}

}  // namespace

std::optional<IpAddress> broadcast_of(const GrantV4& grant) {
  constexpr std::uint32_t kEverybody = 0xffffffff;
  const auto found = grant.options.find(static_cast<std::uint8_t>(OptionCode::broadcast));
  if (found == grant.options.end()) return std::nullopt;
  const auto address = read_address(&found->second);
  if (!address) return std::nullopt;
  if (*address == IpAddress::v4(kEverybody)) return address;
  const auto gateway = result_of(grant, 0).ips.front().gateway;
  if (!grant.address.contains(*address) || *address == grant.address.address() ||
      address == gateway) {
    return std::nullopt;
  }
  return address;
}

void put_address(net::Batch& batch, const net::LinkRef& link, const GrantV4& grant) {
  const auto broadcast = broadcast_of(grant);
  if (broadcast && *broadcast != grant.address.last()) {
    net::add_addr(batch, link, grant.address, *broadcast);
  } else {
    net::add_addr(batch, link, grant.address, net::Dad::skip, true);
  }
}

bool has_ipv6(net::Netlink& links, const net::LinkRef& link, const Lease& lease) {
  if (lease.v6) return true;
  const auto addresses = net::list_addrs(links, link.index);
  return std::any_of(addresses.begin(), addresses.end(), [](const IpNet& each) {
    return !each.is_v4() && !each.address().is_link_local();
  });
}

/// Below 576 a message of DHCP needn't fit (RFC 2131 §2), and the lease could be neither renewed
/// nor released.
FittingMtu fitting_mtu(const GrantV4& grant, std::uint32_t link_mtu, bool has_ipv6) {
  constexpr std::uint32_t kLeast = 576;
  const std::uint32_t asked = mtu_of(grant).value_or(link_mtu);
  const std::uint32_t least = has_ipv6 ? kLeastMtuV6 : kLeast;
  const std::uint32_t mtu = std::min(std::max(asked, least), link_mtu);
  if (mtu <= asked) return {mtu, {}};
  return {mtu,
          fmt::format("the server's MTU of {} is too small for {}, which needs {}: it becomes {}",
                      asked, has_ipv6 ? "IPv6" : "DHCP", least, mtu)};
}

std::vector<std::string> apply_renewal(const net::LinkInNetns& place, Lease& lease,
                                       const std::optional<GrantV4>& was) {
  std::vector<std::string> untold;
  net::Netlink links(place.netns);
  const net::LinkRef link = place.link;
  const auto present = net::list_routes(links, Family::v4, link.index);
  change_address(place.netns, links, link, lease, was);
  if (!lease.grant) return untold;
  const auto attempt = [&](const auto& work) {
    try {
      work();
    } catch (const Error& error) {
      untold.push_back(error.msg());
    }
  };
  attempt([&] {
    const auto old = was ? result_of(*was, lease.priority).routes : std::vector<Route>();
    change_routes(links, link, lease, old, present, untold);
  });
  attempt([&] { change_mtu(links, link, lease, was, untold); });
  if (was && reported(*was) != reported(*lease.grant)) {
    std::string now;
    for (const std::string& each : reported(*lease.grant)) now += (now.empty() ? "" : ", ") + each;
    untold.push_back("the server tells by now, what the result of ADD can't follow: " +
                     (now.empty() ? "nothing" : now));
  }
  return untold;
}

std::vector<std::string> far_gateways(const GrantV4& grant) {
  const std::vector<Route> routes = result_of(grant, 0).routes;
  std::vector<std::string> far;
  for (const Route& route : routes) {
    if (!has_far_gateway(grant, routes, route)) continue;
    far.push_back(
        fmt::format("the DHCP server {} gives route {} the gateway {}, which is in none of "
                    "the interface's subnets",
                    grant.server.str(), route.dst.str(), route.gw->str()));
  }
  return far;
}

std::vector<std::string> reported(const GrantV4& grant) {
  const auto find = [&](OptionCode code) -> const Bytes* {
    const auto found = grant.options.find(static_cast<std::uint8_t>(code));
    return found == grant.options.end() ? nullptr : &found->second;
  };
  std::vector<std::string> lines;
  const auto add = [&](const char* name, const std::vector<std::string>& values) {
    if (!values.empty()) lines.push_back(name + joined(values));
  };
  if (const auto name = read_text(find(OptionCode::host_name))) add("host name", {*name});
  add("NTP", texts(read_addresses(find(OptionCode::ntp_servers))));
  const Dns dns = result_of(grant, 0).dns;
  add("DNS", dns.nameservers);
  if (!dns.domain.empty()) add("domain", {dns.domain});
  add("search", dns.search);
  return lines;
}

}  // namespace unicni::dhcp
