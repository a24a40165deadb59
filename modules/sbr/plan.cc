#include "plan.h"

#include <fmt/core.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "unicni/error.h"

namespace unicni::sbr {

namespace {

IpNet host_of(const IpAddress& address) { return {address, address.bits()}; }

std::optional<IpAddress> gateway_of(const SbrOptions& options, const IpConfig& ip) {
  for (const IpAddress& each : options.gateways) {
    if (each.family() == ip.address.family()) return each;
  }
  return ip.gateway;
}

/// Whether packets from `ip` need the route: it is in its subnet, or names no place at all.
bool concerns(const net::RouteEntry& entry, const IpConfig& ip) {
  if (entry.route.dst.family() != ip.address.family()) return false;
  if (!entry.src && !entry.route.gw) return true;
  return (entry.src && ip.address.contains(*entry.src)) ||
         (entry.route.gw && ip.address.contains(*entry.route.gw));
}

bool has_family(const std::vector<IpConfig>& addresses, Family family) {
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const IpConfig& ip) { return ip.address.family() == family; });
}

void plan_table(const SbrOptions& options, const IpConfig& ip, int link, std::uint32_t table,
                const Present& present, Plan& plan) {
  plan.rules.push_back({host_of(ip.address.address()), table});
  const auto gateway = gateway_of(options, ip);
  for (net::RouteEntry entry : present.routes) {
    if (!concerns(entry, ip) || (gateway && entry.route.dst.is_default())) continue;
    entry.route.table = table;
    plan.added.push_back(entry);
  }
  if (!gateway) return;
  net::RouteEntry way;
  way.index = link;
  way.protocol = RTPROT_BOOT;
  const IpAddress anywhere =
      gateway->is_v4() ? IpAddress::v4(0) : IpAddress::v6(std::array<std::uint8_t, 16>{});
  way.route.dst = IpNet(anywhere, 0);
  way.route.gw = gateway;
  way.route.table = table;
  // As the interface plugin made it; of "gateways" the kernel decides.
  way.onlink = gateway == ip.gateway && !ip.address.contains(*gateway) && !gateway->is_link_local();
  plan.added.push_back(way);
}

/// The subnet in the main table, with the address that packets to it come from.
net::RouteEntry source_hint(const IpConfig& ip, int link) {
  net::RouteEntry hint;
  hint.index = link;
  hint.protocol = RTPROT_BOOT;
  hint.src = ip.address.address();
  hint.route.dst = ip.address.masked();
  hint.route.table = RT_TABLE_MAIN;
  hint.route.scope = ip.address.is_v4() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  return hint;
}

}  // namespace

std::vector<IpConfig> addresses_of(const Call& call) {
  const Result& result = *call.prev_result;
  if (result.ips.empty()) {
    throw Error(Code::invalid_config,
                fmt::format("No IP addresses supplied on interface: {}", call.key.if_name),
                "list sbr in \"plugins\" after a plugin that gets addresses from IPAM");
  }
  std::vector<IpConfig> addresses;
  for (const IpConfig& ip : result.ips) {
    const bool named = ip.interface && *ip.interface >= 0 &&
                       static_cast<std::size_t>(*ip.interface) < result.interfaces.size();
    if (!named ||
        result.interfaces[static_cast<std::size_t>(*ip.interface)].name == call.key.if_name) {
      addresses.push_back(ip);
    }
  }
  return addresses;
}

Plan make_plan(const SbrOptions& options, const std::vector<IpConfig>& addresses, int link,
               const Present& present) {
  Plan plan;
  if (options.table) {
    for (const IpConfig& ip : addresses) {
      plan.rules.push_back({host_of(ip.address.address()), *options.table});
    }
    return plan;
  }
  std::uint32_t table = kFirstTable;
  for (const IpConfig& ip : addresses) {
    while (present.tables.contains(table)) ++table;
    plan_table(options, ip, link, table++, present, plan);
    if (options.add_source_hints) plan.added.push_back(source_hint(ip, link));
  }
  for (const net::RouteEntry& entry : present.routes) {
    const IpNet& dst = entry.route.dst;
    if (!has_family(addresses, dst.family()) || dst.address().is_link_local()) continue;
    const bool stays =
        options.add_source_hints &&
        std::find_if(plan.added.begin(), plan.added.end(), [&](const net::RouteEntry& hint) {
          return hint.route.table == RT_TABLE_MAIN && hint.route.dst == dst &&
                 hint.src == entry.src && hint.protocol == entry.protocol;
        }) != plan.added.end();
    const bool on_link = dst.is_v4() && entry.route.scope == RT_SCOPE_LINK;
    const bool hinted = std::any_of(addresses.begin(), addresses.end(),
                                    [&](const IpConfig& ip) { return ip.address.masked() == dst; });
    // Of the on-link routes only those that a hint replaces go.
    if (stays || (options.add_source_hints && on_link && !hinted)) continue;
    plan.removed.push_back(entry);
  }
  std::stable_partition(plan.removed.begin(), plan.removed.end(),
                        [](const net::RouteEntry& entry) { return entry.route.gw.has_value(); });
  return plan;
}

}  // namespace unicni::sbr
