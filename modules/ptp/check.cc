#include "check.h"

#include <fmt/core.h>

#include <algorithm>

#include "config.h"
#include "hops.h"
#include "unicni/container_veth.h"
#include "unicni/error.h"
#include "unicni/host_side.h"
#include "unicni/interface_entry.h"
#include "unicni/link_module.h"
#include "unicni/masquerade.h"
#include "unicni/net/forwarding.h"
#include "unicni/net/route.h"

namespace unicni::ptp {

namespace {

constexpr std::uint32_t kMainTable = 254;   // RT_TABLE_MAIN
constexpr std::uint32_t kLocalTable = 255;  // RT_TABLE_LOCAL
constexpr const char* kAddAgain = "the attachment is broken: DEL and ADD it again";

/// Routes of one link, of which some must be there, in any table, as a later plugin (sbr, vrf) may
/// have moved them. The connected ones must not, in that of the kernel's own choice.
class LinkRoutes {
 public:
  LinkRoutes(net::Netlink& links, const net::Link& link, Family family, std::string where)
      : where_(std::move(where)), routes_(net::list_routes(links, family, link.index)) {}

  void require(const Route& wanted) const {
    if (has([&](const Route& seen) {
          return seen.table != kLocalTable && seen.dst == wanted.dst && seen.gw == wanted.gw;
        })) {
      return;
    }
    throw Error(Code::internal,
                fmt::format("route {} is missing on {}", net::describe(wanted), where_), kAddAgain);
  }
  void refuse_connected(const IpNet& dst) const {
    if (!has([&](const Route& seen) {
          return seen.table == kMainTable && seen.dst == dst && !seen.gw;
        })) {
      return;
    }
    throw Error(Code::internal, fmt::format("{} is on-link on {}", dst.str(), where_),
                "its neighbours are behind the host, not on this link: DEL and ADD it again");
  }

 private:
  template <class Fits>
  [[nodiscard]] bool has(const Fits& fits) const {
    return std::any_of(routes_.begin(), routes_.end(),
                       [&](const net::RouteEntry& each) { return fits(each.route); });
  }
  std::string where_;
  std::vector<net::RouteEntry> routes_;
};

/// The attachment's own addresses that have a gateway, which all of ptp's have.
Result attached(const Result& prev_result, const std::string& if_name) {
  Result result = with_own_addresses(prev_result, if_name);
  std::erase_if(result.ips, [](const IpConfig& ip) { return !ip.gateway; });
  return result;
}

void check_host_addresses(Host& host, const net::Link& end, const Result& result) {
  const auto present = net::list_addrs(host.host_links(), end.index);
  for (const IpNet& gateway : host_addresses(result)) {
    if (std::find(present.begin(), present.end(), gateway) != present.end()) continue;
    throw Error(Code::internal,
                fmt::format("gateway address {} is missing on {}", gateway.str(), end.name),
                fmt::format("ip addr add {} dev {}", gateway.str(), end.name));
  }
}

void check_family(const Call& call, Host& host, const net::Link& end, const net::Link& container,
                  const Result& result, Family family) {
  const LinkRoutes outside(host.host_links(), end, family, end.name);
  for (Route& route : host_routes(result)) {
    if (route.dst.family() == family) outside.require(route);
  }
  const LinkRoutes inside(host.container_links(), container, family,
                          fmt::format("{} in {}", container.name, call.netns));
  for (const HopRoute& hop : gateway_routes(result)) {
    if (hop.route.dst.family() == family) inside.require(hop.route);
  }
  for (const HopRoute& hop : subnet_routes(result)) {
    if (hop.route.dst.family() != family) continue;
    inside.require(hop.route);
    inside.refuse_connected(hop.route.dst);
  }
  if (net::is_forwarding(host.host_links(), family)) return;
  throw Error(Code::internal,
              fmt::format("the host doesn't forward IPv{} packets", static_cast<int>(family)),
              family == Family::v4 ? "sysctl -w net.ipv4.ip_forward=1"
                                   : "sysctl -w net.ipv6.conf.all.forwarding=1");
}

}  // namespace

void check_ends(const Call& call, Host& host, const net::Link& container) {
  const auto& options = call.options<PtpOptions>();
  const net::Link end = require_host_end(call, host, container);
  require_mtu(options.mtu, end);
  const Result result = attached(*call.prev_result, call.key.if_name);
  check_host_addresses(host, end, result);
  for (const Family family : {Family::v4, Family::v6}) {
    const bool used = std::any_of(result.ips.begin(), result.ips.end(), [&](const IpConfig& ip) {
      return ip.address.family() == family;
    });
    if (used) check_family(call, host, end, container, result, family);
  }
  check_masquerade(call, host, options.ip_masq ? result : Result(),
                   masq_backend(options.ip_masq_backend));
}

}  // namespace unicni::ptp
