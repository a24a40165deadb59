// The container's side of an interface: settings, addresses, routes and announcement, in few
// batches. The order is what makes the first packet pass.
#include "link_module/configure.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/neigh.h"
#include "unicni/net/route.h"
#include "unicni/net/sysctl.h"

namespace unicni::link_module {

namespace {

/// Settings of a family are touched only if the attachment has an address of it.
bool has_family(const Result& result, Family family) {
  return std::any_of(result.ips.begin(), result.ips.end(),
                     [family](const IpConfig& ip) { return ip.address.family() == family; });
}

/// The gateway that a route without one takes: the first of its family among the addresses.
std::optional<IpAddress> gateway_of(const Result& result, Family family) {
  for (const IpConfig& ip : result.ips) {
    if (ip.gateway && ip.gateway->family() == family) return ip.gateway;
  }
  return std::nullopt;
}

constexpr std::uint32_t kScopeLink = 253;  // RT_SCOPE_LINK

/// 0.0.0.0 and scope link mean "no gateway" (the reference lets scope link inherit one and the
/// kernel refuses that).
std::optional<IpAddress> next_hop(const Result& result, const Route& route) {
  if (route.gw && route.gw->is_unspecified()) return std::nullopt;
  if (route.gw || route.scope.value_or(0) == kScopeLink) return route.gw;
  return gateway_of(result, route.dst.family());
}

/// What the kernel takes for neighbours of a link: by its addresses, and by each route without a
/// gateway from then on.
class Neighbours {
 public:
  explicit Neighbours(const Result& result) {
    for (const IpConfig& ip : result.ips) on_link_.push_back(ip.address);
  }
  void learn(const IpNet& net) { on_link_.push_back(net); }
  [[nodiscard]] bool hold(const IpAddress& hop) const {
    return hop.is_link_local() ||
           std::any_of(on_link_.begin(), on_link_.end(), [&](const IpNet& net) {
             return net.family() == hop.family() && net.contains(hop);
           });
  }

 private:
  std::vector<IpNet> on_link_;
};

/// Hosters give gateways outside of the subnet, which are neighbours nevertheless.
bool is_gateway_of_address(const Result& result, const IpAddress& hop) {
  return std::any_of(result.ips.begin(), result.ips.end(),
                     [&](const IpConfig& ip) { return ip.gateway == hop; });
}

/// All of them before the link goes UP: the kernel reads them then, when it makes the link-local
/// address and begins with duplicate address detection.
void set_ipv6_sysctls(const LinkAdd& add, net::Dad dad) {
  const bool has_v6 = has_family(add.result, Family::v6);
  const auto write = [&] {
    const net::Netns* young = add.host.container_netns();
    const std::string conf = "net/ipv6/conf/";
    const std::string own = conf + add.call.key.if_name;
    if (has_v6) {
      // Container engines switch IPv6 off in new namespaces, on `lo` as well. The reference turns
      // it on for both before it adds an IPv6 address.
      net::ensure_sysctl(conf + "lo/disable_ipv6", "0", {.young = young});
      net::ensure_sysctl(own + "/disable_ipv6", "0", {.young = young});
      // Without it the kernel drops IPv6 addresses, not IPv4 ones, when the link goes down.
      net::set_sysctl(own + "/keep_addr_on_down", "1", young);
    }
    // Neighbours that knew the address elsewhere are told (RFC 4861 §7.2.6), as arp_notify does it.
    if (has_v6) net::set_sysctl(own + "/ndisc_notify", "1", young);
    // Also for the link-local address, which the kernel makes by itself.
    net::set_sysctl(own + "/accept_dad", dad == net::Dad::skip ? "0" : "1", young);
    if (dad == net::Dad::kernel) net::set_sysctl(own + "/enhanced_dad", "1", young);
  };
  add.host.container_netns()->run(write, add.host.host_netns());
}

}  // namespace

void bring_up(const LinkAdd& add) {
  net::Batch batch(add.host.container_links());
  net::LinkChange change;
  change.up = true;
  net::change_link(batch, add.made.link, change);
  batch.commit();
}

void configure(const LinkAdd& add, const net::LinkChange& change, net::Dad dad) {
  if (!add.result.ips.empty()) set_ipv6_sysctls(add, dad);
  net::Batch batch(add.host.container_links());

  // Three messages, one batch. MAC and MTU come before the addresses, since the kernel makes the
  // link-local address of the MAC. The link goes UP after them, so that its first announcement has
  // all addresses.
  net::LinkChange before = change;
  before.up.reset();
  before.arp_notify.reset();
  if (add.made.heard_when_up && !add.result.ips.empty()) before.arp_notify = true;
  if (before.promisc || before.mtu || before.mac || before.arp_notify) {
    net::change_link(batch, add.made.link, before);
  }
  // An IPAM that talks through the interface may have put it there, with what the result can't say.
  const bool may_be_there = add.host.ipam().given() && add.host.ipam().needs_link();
  for (const IpConfig& ip : add.result.ips) {
    net::add_addr(batch, add.made.link, ip.address, dad, may_be_there);
  }
  net::LinkChange up;
  up.up = change.up;
  up.arp_notify = change.arp_notify;
  if (up.up || up.arp_notify) net::change_link(batch, add.made.link, up);
  if (!batch.empty()) batch.commit();
}

/// Routes are put in the order of the result. The kernel takes a gateway only if an earlier route
/// or address makes it a neighbour. What it would refuse halfway is refused here, before anything
/// exists.
void require_reachable_gateways(const Result& result) {
  Neighbours neighbours(result);
  for (const Route& route : result.routes) {
    const auto gateway = next_hop(result, route);
    if (!gateway) {
      neighbours.learn(route.dst);
      continue;
    }
    if (neighbours.hold(*gateway) || is_gateway_of_address(result, *gateway)) continue;
    throw Error(Code::invalid_config,
                fmt::format("gateway {} of route {} is in none of the interface's subnets",
                            gateway->str(), route.dst.str()),
                fmt::format("if it is on the same link all the same, say so by an earlier entry of "
                            "\"routes\": {{\"dst\": \"{}/{}\", \"scope\": {}}}, or make it the "
                            "\"gateway\" of an address",
                            gateway->str(), gateway->bits(), kScopeLink));
  }
}

/// `Hops::told` means that modules vouch for gateways outside of the subnet, as hosters give them.
void put_routes(const LinkAdd& add, net::Batch& batch, Hops hops) {
  Neighbours neighbours(add.result);
  for (const Route& route : add.result.routes) {
    Route programmed = route;
    programmed.gw = next_hop(add.result, route);
    if (!programmed.gw) {
      neighbours.learn(route.dst);
    } else if (hops == Hops::told && !neighbours.hold(*programmed.gw)) {
      net::add_onlink_route(batch, add.made.link, programmed);
      continue;
    }
    net::add_route(batch, add.made.link, programmed);
  }
}

void announce(const LinkAdd& add, net::Batch& batch) {
  // A link without MAC, such as a layer 3 tunnel, has no neighbours.
  if (!add.made.mac.is_zero() && !add.result.ips.empty()) {
    net::announce_addrs(batch, add.made.link, add.made.mac);
  }
}

void await_dad(const LinkAdd& add) {
  if (!has_family(add.result, Family::v6)) return;
  // One probe, a random delay of up to a second before it and a second of waiting is the kernel's
  // default; five seconds leave room for a busy host.
  constexpr std::chrono::seconds kPatience{5};
  constexpr std::chrono::milliseconds kPause{20};
  const auto deadline = std::min(add.call.deadline, std::chrono::steady_clock::now() + kPatience);
  const auto fail = [&](const std::string& text) {
    throw Error(Code::internal,
                fmt::format("{} on {} in {}", text, add.call.key.if_name, add.call.netns),
                "two containers may have got the same address: see the ranges in \"ipam\"");
  };
  for (;;) {
    const net::DadState state = net::get_dad_state(add.host.container_links(), add.made.link.index);
    if (state.failed) fail(fmt::format("address {} is a duplicate", state.failed->str()));
    if (!state.running) return;
    if (std::chrono::steady_clock::now() >= deadline) {
      fail("duplicate address detection has not ended");
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace unicni::link_module
