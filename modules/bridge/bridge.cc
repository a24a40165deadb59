// bridge: a veth between the container and a bridge of the host.
#include "check.h"
#include "config.h"
#include "gateway.h"
#include "shared_bridge.h"
#include "unicni/attachment_rules.h"
#include "unicni/container_veth.h"
#include "unicni/interface_entry.h"
#include "unicni/link_module.h"
#include "unicni/masquerade.h"
#include "unicni/net/forwarding.h"
#include "unicni/net/neigh.h"
#include "unicni/net/sysctl.h"
#include "unicni/net/veth.h"
#include "unicni/netfilter/reference_rules.h"
#include "unicni/stale_links.h"
#include "vlan.h"

namespace unicni::bridge {

namespace {

const BridgeOptions& options_of(const Call& call) { return call.options<BridgeOptions>(); }

class Bridge final : public LinkModule {
 protected:
  const char* container_kind() const override { return "veth"; }
  void validate_options(const Call& call) override {
    bridge::validate(options_of(call), !call.ipam_type.empty());
  }
  std::optional<Dns> dns(const Call& call) const override { return options_of(call).dns.chosen(); }
  bool is_up(const Call& call) const override {
    return !options_of(call).disable_container_interface;
  }
  net::Dad dad(const Call& call) const override {
    return options_of(call).enable_dad ? net::Dad::kernel : net::Dad::skip;
  }
  void complete(LinkAdd& add) override;
  MadeLink create_link(LinkAdd& add) override;
  void tune_link(const LinkAdd& add, net::LinkChange& change) override;
  void finish(LinkAdd& add) override;
  void check_link(const Call& call, Host& host, const net::Link& container) override {
    check_host(call, host, container);
  }
  bool is_in_place(const Call& call, Host& host, const net::Link& container,
                   const net::Link* host_end) override;
  void sweep(const Call& call, Host& host, const std::vector<IpNet>& addresses) override;

 public:
  void gc(const Call& call, Host& host) override;

 private:
  void plan_host(LinkAdd& add);
  void warn_of_lent_gateways(const LinkAdd& add) const;
  net::Link bridge_;
  net::Link gateway_;  ///< the bridge, or its VLAN's interface
  std::optional<GatewayPlan> gateway_plan_;
};

void Bridge::complete(LinkAdd& add) {
  const BridgeOptions& options = options_of(add.call);
  if (!options.gateway()) return;
  default_gateways(add.result);
  require_reachable(add.result);
  if (options.is_default_gateway) add_default_routes(add.result);
}

/// Refuses a bridge that belongs to another subnet while there is nothing to take back yet.
void Bridge::plan_host(LinkAdd& add) {
  const BridgeOptions& options = options_of(add.call);
  gateway_ = bridge_;
  if (!options.gateway()) return;
  if (options.vlan != 0) gateway_ = ensure_vlan_gateway(add, bridge_);
  gateway_plan_ =
      plan_gateways(gateway_.name, net::list_addrs(add.host.host_links(), gateway_.index),
                    gateways_of(add.result), options.force_address);
}

/// A lease comes from somebody on the LAN, and so does its router: the bridge would answer in its
/// place.
void Bridge::warn_of_lent_gateways(const LinkAdd& add) const {
  if (!gateway_plan_) return;
  for (const IpNet& gateway : gateway_plan_->add) {
    add.host.log(LogLevel::warning,
                 fmt::format("isGateway: {} gets {}, the router that the lease names; if that is "
                             "another host, both have it now: leave isGateway out",
                             gateway_.name, gateway.address().str()));
  }
}

MadeLink Bridge::create_link(LinkAdd& add) {
  const BridgeOptions& options = options_of(add.call);
  // Until the bridge has this port the roll-back of another ADD could take it away.
  const auto lock = add.host.attachments().hold_shared_links(sys::LockMode::shared,
                                                             sys::lock_deadline(add.call.deadline));
  bridge_ = ensure_bridge(add);
  if (!add.result.ips.empty()) plan_host(add);
  net::VethSpec veth;
  veth.master = bridge_.index;
  veth.hairpin = options.hairpin_mode;
  veth.isolated = options.port_isolation;
  veth.mtu = static_cast<std::uint32_t>(options.mtu);
  veth.peer_mac = options.mac().value_or(Mac());
  MadeLink made = create_veth(add, veth);
  put_port_vlans(add.host.host_links(), options, made.host_end);

  // Its ports decide a bridge's MTU unless somebody set one (br_mtu_auto_adjust).
  auto& interfaces = add.result.interfaces;
  interfaces.insert(interfaces.begin(),
                    host_interface(add.call, bridge_.name, bridge_.mac,
                                   net::get_link_mtu(add.host.host_links(), bridge_.name)));
  return made;
}

void Bridge::tune_link(const LinkAdd& add, net::LinkChange& change) {
  if (options_of(add.call).disable_container_interface) {
    change.up.reset();
  } else {
    change.arp_notify = true;
  }
}

void Bridge::finish(LinkAdd& add) {
  const BridgeOptions& options = options_of(add.call);
  std::vector<net::NftElement> spoof_check;
  if (options.mac_spoof_check) {
    spoof_check =
        net::spoof_check_elements(add.made.host_end.name, add.made.mac, add.call.key.comment());
  }
  add_masquerade(add.call, add.host, options.ip_masq ? add.result : Result(),
                 masq_backend(options.ip_masq_backend), spoof_check);
  if (options.disable_container_interface) return;

  if (!add.result.ips.empty()) {
    if (gateway_.index == 0) {  // IPAM came after the link
      plan_host(add);
      warn_of_lent_gateways(add);
    }
    if (gateway_plan_) net::ensure_forwarding(add.host.host_links(), gateways_of(add.result));
    net::Batch batch(add.host.host_links());
    if (gateway_plan_) put_gateways(batch, add.host, gateway_, *gateway_plan_);
    for (const IpConfig& ip : add.result.ips) {
      net::refresh_neigh(batch, gateway_, ip.address.address(), add.made.mac);
    }
    batch.commit();
    if (gateway_.index != bridge_.index) {
      add.result.interfaces.push_back(
          host_interface(add.call, gateway_.name, gateway_.mac, gateway_.mtu));
    }
  }
  // What the container's end said when it went UP met a port that didn't forward yet.
  net::sync_carrier(add.host.host_links(), add.made.host_end.name);
}

bool Bridge::is_in_place(const Call& call, Host& host, const net::Link&,
                         const net::Link* host_end) {
  const auto bridge = net::find_link(host.host_links(), options_of(call).bridge);
  return bridge && host_end != nullptr && host_end->master == bridge->index;
}

void Bridge::sweep(const Call& call, Host& host, const std::vector<IpNet>& addresses) {
  sweep_masquerade(call, host, addresses);
  if (!options_of(call).mac_spoof_check) return;
  net::remove_reference_spoof_check(host.nft(), call.key.container_id, call.key.if_name);
}

/// What the journal doesn't know (it was lost, or never could be written): ports and rules that
/// carry our owner text.
void Bridge::gc(const Call& call, Host& host) {
  collect_elements(call, host);
  if (const auto bridge = net::find_link(host.host_links(), options_of(call).bridge)) {
    remove_stale_links(call, host, net::list_ports(host.host_links(), bridge->index));
  }
  LinkModule::gc(call, host);
}

}  // namespace

}  // namespace unicni::bridge

namespace {
constexpr const char* kCapabilities[] = {"mac", nullptr};
}  // namespace

UNICNI_MODULE(bridge, link, unicni::bridge::Bridge, .options = &unicni::bridge::kBridgeOptions,
              .capabilities = kCapabilities);
