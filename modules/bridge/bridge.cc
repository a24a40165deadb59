// bridge: a veth between the container and a bridge of the host.
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "config.h"
#include "gateway.h"
#include "unicni/error.h"
#include "unicni/link_module.h"
#include "unicni/net/sysctl.h"

namespace unicni::bridge {

namespace {

const BridgeOptions& options_of(const Call& call) { return call.options<BridgeOptions>(); }

std::vector<net::NftElement> masquerade_of(const std::vector<IpNet>& addresses,
                                           const std::string& owner) {
  std::vector<net::NftElement> elements;
  for (const IpNet& net : addresses) {
    elements.push_back(net::masquerade_element(net.address(), owner));
  }
  return elements;
}

/// IFLA_IFALIAS holds 255 bytes.
std::string alias_of(const std::string& owner) { return owner.substr(0, 255); }

std::vector<IpNet> addresses_of(const Result& result) {
  std::vector<IpNet> addresses;
  for (const IpConfig& ip : result.ips) addresses.push_back(ip.address);
  return addresses;
}

class Bridge final : public LinkModule {
 protected:
  const char* container_kind() const override { return "veth"; }
  void validate_options(const Call& call) override { bridge::validate(options_of(call)); }
  const std::optional<Dns>& dns(const Call& call) const override { return options_of(call).dns; }
  void complete(LinkAdd& add) override;
  void create_link(LinkAdd& add) override;
  void tune_link(const LinkAdd&, net::LinkChange& change) override { change.arp_notify = true; }
  void finish(LinkAdd& add) override;
  void check_link(const Call& call, Host& host, const net::Link& container) override;
  void sweep(const Call& call, Host& host, const std::vector<IpNet>& addresses) override;

 public:
  void gc(const Call& call, Host& host) override;

 private:
  net::Link ensure_bridge(LinkAdd& add);
  void plan_host(const LinkAdd& add);
  net::Link bridge_;
  std::optional<GatewayPlan> gateway_plan_;
};

net::Link Bridge::ensure_bridge(LinkAdd& add) {
  const BridgeOptions& options = options_of(add.call);
  net::Netlink& links = add.host.host_links();
  auto found = net::find_link(links, options.bridge);
  if (!found) {
    net::BridgeSpec spec{options.bridge, Mac::random(), static_cast<std::uint32_t>(options.mtu)};
    add.host.undo().will(undo_bridge(options.bridge));
    net::Batch batch(links);
    net::add_bridge(batch, spec);
    try {
      batch.commit();
    } catch (const Error&) {
      if (batch.error_of(0) != EEXIST) throw;  // else another ADD made it meanwhile
    }
    found = net::get_link(links, options.bridge);
    net::ensure_sysctl("net/ipv6/conf/" + options.bridge + "/accept_ra", "0");
  }
  if (found->kind != "bridge") {
    throw Error(Code::internal,
                fmt::format("{} exists but is a {} link, not a bridge", options.bridge,
                            found->kind.empty() ? "physical" : found->kind),
                "choose another name in \"bridge\", or rename that link");
  }
  net::LinkChange change;
  if (options.promisc_mode && !found->promisc) change.promisc = true;
  if (!found->up) change.up = true;
  if (change.promisc || change.up) {
    net::Batch batch(links);
    net::change_link(batch, found->index, found->name, change);
    batch.commit();
  }
  return *found;
}

void Bridge::complete(LinkAdd& add) {
  const BridgeOptions& options = options_of(add.call);
  if (!options.gateway()) return;
  default_gateways(add.result);
  if (options.is_default_gateway) add_default_routes(add.result);
}

/// Refuses a bridge that belongs to another subnet while there is nothing to take back yet.
void Bridge::plan_host(const LinkAdd& add) {
  const BridgeOptions& options = options_of(add.call);
  if (!options.gateway()) return;
  gateway_plan_ = plan_gateways(bridge_.name, net::list_addrs(add.host.host_links(), bridge_.index),
                                gateways_of(add.result), options.force_address);
}

void Bridge::create_link(LinkAdd& add) {
  const BridgeOptions& options = options_of(add.call);
  // Until the bridge has this port the roll-back of another ADD could take it away.
  const auto lock = add.host.hold_shared_links();
  bridge_ = ensure_bridge(add);
  if (!add.result.ips.empty()) plan_host(add);
  net::VethSpec veth;
  veth.name = net::random_veth_name();
  veth.mac = Mac::random();
  veth.alias = alias_of(add.call.owner());
  veth.master = bridge_.index;
  veth.mtu = static_cast<std::uint32_t>(options.mtu);
  veth.peer_name = add.call.if_name;
  veth.peer_mac = options.mac().value_or(Mac::random());
  veth.peer_netns = add.host.container_netns();
  add.host.undo().will(undo_veth(veth.name, veth.alias));
  net::Batch batch(add.host.host_links());
  net::add_veth(batch, veth);
  batch.commit();
  net::ensure_sysctl("net/ipv6/conf/" + veth.name + "/accept_ra", "0");
  if (options.hairpin_mode) {
    net::Batch port(add.host.host_links());
    net::set_port_hairpin(port, net::get_link(add.host.host_links(), veth.name).index, veth.name,
                          true);
    port.commit();
  }
  add.container_link = net::get_link(add.host.container_links(), add.call.if_name).index;
  add.container_interface = 2;
  const auto on_host = [](const std::string& name, const Mac& mac) {
    Interface interface;
    interface.name = name;
    interface.mac = mac.str();
    return interface;
  };
  add.result.interfaces = {on_host(bridge_.name, bridge_.mac), on_host(veth.name, veth.mac),
                           on_host(add.call.if_name, veth.peer_mac)};
  add.result.interfaces[2].sandbox = add.call.netns;
}

void Bridge::finish(LinkAdd& add) {
  const BridgeOptions& options = options_of(add.call);
  if (add.result.ips.empty()) return;
  if (options.ip_masq) {
    const auto own = masquerade_of(addresses_of(add.result), net::nft_owner(add.call.owner()));
    std::vector<net::NftElement> shared;
    for (const IpConfig& ip : add.result.ips) {
      shared.push_back(net::subnet_element(ip.address.masked(), add.call.network));
    }
    for (const net::NftElement& element : own) add.host.undo().will(undo_nft(element));
    add.host.nft().add(own, shared);
  }
  if (options.gateway()) {
    if (!gateway_plan_) plan_host(add);  // IPAM came after the link
    put_gateways(add.host, bridge_, *gateway_plan_, gateways_of(add.result));
  }
}

void Bridge::check_link(const Call& call, Host& host, const net::Link& container) {
  const BridgeOptions& options = options_of(call);
  const Result& result = *call.prev_result;
  const auto found = net::find_link(host.host_links(), options.bridge);
  if (!found || found->kind != "bridge") {
    throw Error(Code::internal,
                fmt::format("bridge {} is {}", options.bridge, found ? "no bridge" : "missing"),
                "the attachment is broken: DEL and ADD it again");
  }
  const Interface* recorded = find_interface(result, options.bridge, "");
  if (recorded == nullptr) {
    throw Error(Code::invalid_config,
                fmt::format("prevResult has no interface {} on the host", options.bridge));
  }
  require_same_mac(*recorded, *found);
  if (!found->up) {
    throw Error(Code::internal, fmt::format("bridge {} is down", found->name),
                fmt::format("ip link set {} up", found->name));
  }
  if (options.promisc_mode && found->promiscuity == 0) {
    throw Error(Code::internal, fmt::format("bridge {} is not promiscuous", found->name),
                fmt::format("ip link set {} promisc on", found->name));
  }
  // veth's IFLA_LINK is the other end's index, here in the host's namespace.
  const auto port = net::find_link(host.host_links(), container.peer);
  if (!port || port->kind != "veth" || port->peer != container.index) {
    throw Error(Code::internal, fmt::format("{} has no veth end on this host", container.name),
                "the attachment is broken: DEL and ADD it again");
  }
  if (port->master != found->index) {
    throw Error(Code::internal, fmt::format("{} is no port of {}", port->name, found->name),
                fmt::format("ip link set {} master {}", port->name, found->name));
  }
  if (!port->up) {
    throw Error(Code::internal, fmt::format("{} is down", port->name),
                fmt::format("ip link set {} up", port->name));
  }
  if (const Interface* end = find_interface(result, port->name, "")) require_same_mac(*end, *port);
  if (options.hairpin_mode != port->hairpin) {
    throw Error(Code::internal,
                fmt::format("hairpin mode of {} is {}", port->name, port->hairpin ? "on" : "off"));
  }
  if (!options.ip_masq || call.ipam_type.empty()) return;
  const std::string owner = net::nft_owner(call.owner());
  for (const IpConfig& ip : result.ips) {
    const auto element = net::masquerade_element(ip.address.address(), owner);
    if (host.nft().find_owner(element.set, element.key) != owner) {
      throw Error(Code::internal,
                  fmt::format("masquerade of {} is missing in table inet unicni",
                              ip.address.address().str()),
                  "the attachment is broken: DEL and ADD it again");
    }
  }
}

void Bridge::sweep(const Call& call, Host& host, const std::vector<IpNet>& addresses) {
  if (addresses.empty()) return;
  host.nft().remove(masquerade_of(addresses, net::nft_owner(call.owner())));
}

/// What the journal doesn't know (it was lost, or never could be written): ports and rules that
/// carry our owner text.
void Bridge::gc(const Call& call, Host& host) {
  const std::string prefix = call.network + '/';
  std::set<std::string> valid_aliases;
  std::set<std::string> valid_owners;
  for (const Attachment& attachment : *call.valid_attachments) {
    const std::string owner = prefix + attachment.container_id + '/' + attachment.if_name;
    valid_aliases.insert(alias_of(owner));
    valid_owners.insert(net::nft_owner(owner));
  }
  std::vector<net::NftElement> stale;
  for (const char* set : {"masq4", "masq6"}) {
    for (net::NftElement& element : host.nft().list(set)) {
      if (element.owner.starts_with(prefix) && !valid_owners.contains(element.owner)) {
        stale.push_back(std::move(element));
      }
    }
  }
  if (!stale.empty()) host.nft().remove(stale);
  if (const auto bridge = net::find_link(host.host_links(), options_of(call).bridge)) {
    for (const net::Link& port : net::list_ports(host.host_links(), bridge->index)) {
      if (port.kind == "veth" && port.alias.starts_with(prefix) &&
          !valid_aliases.contains(port.alias)) {
        net::remove_link(host.host_links(), port.index);
      }
    }
  }
  LinkModule::gc(call, host);
}

}  // namespace

}  // namespace unicni::bridge

namespace {
constexpr const char* kCapabilities[] = {"mac", nullptr};
}  // namespace

UNICNI_MODULE(bridge, "bridge", 1,
              unicni::module_descriptor<unicni::bridge::Bridge>("bridge", unicni::ModuleKind::link,
                                                                &unicni::bridge::kBridgeOptions,
                                                                kCapabilities));
