// ptp: a veth to the host alone, which forwards for the container.
#include <fmt/core.h>

#include <algorithm>

#include "check.h"
#include "config.h"
#include "hops.h"
#include "unicni/attachment_rules.h"
#include "unicni/container_veth.h"
#include "unicni/link_module.h"
#include "unicni/masquerade.h"
#include "unicni/net/forwarding.h"
#include "unicni/net/route.h"
#include "unicni/net/sysctl.h"
#include "unicni/net/veth.h"
#include "unicni/stale_links.h"

namespace unicni::ptp {

namespace {

const PtpOptions& options_of(const Call& call) { return call.options<PtpOptions>(); }

class Ptp final : public LinkModule {
 protected:
  const char* container_kind() const override { return "veth"; }
  bool needs_ipam() const override { return true; }
  void validate_options(const Call& call) override { ptp::validate(options_of(call)); }
  std::optional<Dns> dns(const Call& call) const override { return options_of(call).dns.chosen(); }
  void complete(LinkAdd& add) override { require_gateways(add.result, add.call.ipam_type); }
  bool reaches_all_gateways() const override { return true; }
  MadeLink create_link(LinkAdd& add) override;
  void finish(LinkAdd& add) override;
  void put_routes(const LinkAdd& add, net::Batch& batch) override;
  void check_link(const Call& call, Host& host, const net::Link& container) override {
    check_ends(call, host, container);
  }
  bool is_in_place(const Call& call, Host& host, const net::Link& container,
                   const net::Link* host_end) override;
  void sweep(const Call& call, Host& host, const std::vector<IpNet>& addresses) override {
    sweep_masquerade(call, host, addresses);
  }

 public:
  void gc(const Call& call, Host& host) override;
};

MadeLink Ptp::create_link(LinkAdd& add) {
  net::VethSpec veth;
  veth.mtu = static_cast<std::uint32_t>(options_of(add.call).mtu);
  MadeLink made = create_veth(add, veth);
  const auto& ips = add.result.ips;
  if (std::any_of(ips.begin(), ips.end(), [](const auto& ip) { return !ip.address.is_v4(); })) {
    net::ensure_ipv6(made.host_end.name, add.host.container_netns());
  }
  net::Batch batch(add.host.host_links());
  net::put_link_local(batch, made.host_end, made.host_mac, ips);
  if (!batch.empty()) batch.commit();
  return made;
}

/// Both ends are new, so nobody has an old neighbour entry and nothing needs to be announced.
void Ptp::finish(LinkAdd& add) {
  const PtpOptions& options = options_of(add.call);
  net::Netlink& links = add.host.host_links();
  add_masquerade(add.call, add.host, options.ip_masq ? add.result : Result(),
                 masq_backend(options.ip_masq_backend));
  const std::vector<IpNet> gateways = host_addresses(add.result);
  net::ensure_forwarding(links, gateways);
  const net::LinkRef& end = add.made.host_end;
  net::Batch batch(links);
  for (const IpNet& gateway : gateways) {
    net::add_addr(batch, end, gateway, net::Dad::skip, false);
  }
  for (const Route& route : host_routes(add.result)) {
    net::add_route(batch, end, route);
  }
  batch.commit();
  // It was UP before its other end: it sends only when the kernel has seen the carrier.
  net::sync_carrier(links, end.name);
}

/// While the connected routes are there, a route of the result may name any gateway of the subnet.
void Ptp::put_routes(const LinkAdd& add, net::Batch& batch) {
  const net::LinkRef& link = add.made.link;
  for (const HopRoute& hop : gateway_routes(add.result)) {
    net::add_route(batch, link, hop.route, hop.src);
  }
  LinkModule::put_routes(add, batch);
  for (const HopRoute& hop : subnet_routes(add.result)) {
    net::remove_connected_route(batch, link, hop.route.dst);
    net::add_route(batch, link, hop.route, hop.src);
  }
}

/// A port of nothing whose addresses are all single ones.
bool Ptp::is_in_place(const Call&, Host& host, const net::Link&, const net::Link* host_end) {
  if (host_end == nullptr || host_end->master != 0) return false;
  std::vector<IpNet> addresses = net::list_addrs(host.host_links(), host_end->index);
  std::erase_if(addresses, [](const IpNet& net) { return net.address().is_link_local(); });
  return !addresses.empty() &&
         std::all_of(addresses.begin(), addresses.end(),
                     [](const IpNet& net) { return net.prefix_length() == net.address().bits(); });
}

/// What the journal doesn't know (it was lost, or never could be written): host ends and rules that
/// carry our owner text.
void Ptp::gc(const Call& call, Host& host) {
  collect_elements(call, host);
  remove_stale_links(call, host, net::list_links(host.host_links(), "veth"));
  LinkModule::gc(call, host);
}

}  // namespace

}  // namespace unicni::ptp

UNICNI_MODULE(ptp, link, unicni::ptp::Ptp, .options = &unicni::ptp::kPtpOptions);
