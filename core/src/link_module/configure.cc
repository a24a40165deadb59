#include "link_module/configure.h"

#include <algorithm>

#include "unicni/net/addr.h"
#include "unicni/net/route.h"
#include "unicni/net/sysctl.h"

namespace unicni::link_module {

namespace {

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

void set_ipv6_sysctls(const LinkAdd& add, net::Dad dad) {
  const bool has_v6 = has_family(add.result, Family::v6);
  add.host.container_netns()->run([&] {
    const std::string conf = "net/ipv6/conf/";
    const std::string own = conf + add.call.if_name;
    if (has_v6) {
      net::ensure_sysctl(conf + "lo/disable_ipv6", "0");
      net::ensure_sysctl(own + "/disable_ipv6", "0");
      net::ensure_sysctl(own + "/keep_addr_on_down", "1");
    }
    // Also for the link-local address, which the kernel makes by itself.
    net::ensure_sysctl(own + "/accept_dad", dad == net::Dad::skip ? "0" : "1");
  });
}

}  // namespace

void bring_up(const LinkAdd& add) {
  net::Batch batch(add.host.container_links());
  net::LinkChange change;
  change.up = true;
  net::change_link(batch, add.container_link, add.call.if_name, change);
  batch.commit();
}

void configure(const LinkAdd& add, const net::LinkChange& change, net::Dad dad) {
  if (!add.result.ips.empty()) set_ipv6_sysctls(add, dad);
  const std::string& name = add.call.if_name;
  net::Batch batch(add.host.container_links());

  net::LinkChange before = change;
  before.up.reset();
  if (before.promisc || before.mtu || before.mac || before.arp_notify) {
    net::change_link(batch, add.container_link, name, before);
  }
  for (const IpConfig& ip : add.result.ips) {
    net::add_addr(batch, add.container_link, name, ip.address, dad, false);
  }
  net::LinkChange up;
  up.up = change.up;
  if (up.up) net::change_link(batch, add.container_link, name, up);
  for (const Route& route : add.result.routes) {
    Route programmed = route;
    // scope link means "no gateway" (the reference lets it inherit one and the kernel refuses that)
    if (!programmed.gw && programmed.scope.value_or(0) != kScopeLink) {
      programmed.gw = gateway_of(add.result, route.dst.family());
    }
    net::add_route(batch, add.container_link, name, programmed);
  }
  if (!batch.empty()) batch.commit();
}

}  // namespace unicni::link_module
