#include "vlan.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>

#include "gateway.h"
#include "unicni/container_veth.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/sysctl.h"
#include "unicni/net/veth.h"
#include "unicni/undo/gateway_veth.h"

namespace unicni::bridge {

namespace {

constexpr std::uint16_t kDefaultVlan = 1;

void commit(net::Batch& batch, const std::string& port) {
  try {
    batch.commit();
  } catch (Error& error) {
    if (error.msg().find("EOPNOTSUPP") == std::string::npos) throw;
    throw error.advise(
        fmt::format("this kernel has no VLAN filtering of bridges (CONFIG_BRIDGE_VLAN_FILTERING), "
                    "so {} can't be in a VLAN",
                    port));
  }
}

}  // namespace

std::vector<net::PortVlan> port_vlans(const BridgeOptions& options) {
  std::vector<net::PortVlan> vlans;
  const auto own = static_cast<std::uint16_t>(options.vlan);
  const std::vector<std::uint16_t> trunk = trunk_vlans(options);
  // Untagged frames need a VLAN; the default one stays where only tagged ones were asked for.
  if (own != 0) {
    vlans.push_back({own, own, true, true});
  } else if (!trunk.empty()) {
    vlans.push_back({kDefaultVlan, kDefaultVlan, true, true});
  }
  for (const std::uint16_t vlan : trunk) {
    if (!vlans.empty() && vlans.front().first == vlan) continue;
    net::PortVlan& last = vlans.back();
    if (!last.pvid && last.last + 1 == vlan) {
      last.last = vlan;
    } else {
      vlans.push_back({vlan, vlan, false, false});
    }
  }
  std::sort(vlans.begin(), vlans.end(),
            [](const net::PortVlan& a, const net::PortVlan& b) { return a.first < b.first; });
  return vlans;
}

void put_port_vlans(net::Netlink& links, const BridgeOptions& options, const net::LinkRef& port) {
  const std::vector<net::PortVlan> vlans = port_vlans(options);
  if (vlans.empty()) return;
  net::Batch batch(links);
  if (!options.preserve_default_vlan) net::remove_port_vlans(batch, port);
  for (const net::PortVlan& vlan : vlans) net::add_port_vlan(batch, port, vlan);
  commit(batch, port.name);
}

net::Link ensure_vlan_gateway(LinkAdd& add, const net::Link& bridge) {
  const auto& options = add.call.options<BridgeOptions>();
  net::Netlink& links = add.host.host_links();
  const std::string name = vlan_gateway_name(options);
  auto found = net::find_link(links, name);
  if (!found) {
    net::VethSpec veth;
    veth.name = net::random_veth_name();
    veth.mac = Mac::random();
    veth.master = bridge.index;
    veth.mtu = bridge.mtu;
    veth.peer_name = name;
    veth.peer_mac = Mac::random();
    add.host.undo().announce(undo_gateway_veth(name, bridge.name));
    const net::LinkRef port = make_veth(links, veth);
    net::set_sysctl("net/ipv6/conf/" + name + "/accept_ra", "0", add.host.container_netns());
    BridgeOptions untrunked = options;
    untrunked.vlan_trunk.reset();
    put_port_vlans(links, untrunked, port);
    found = net::get_link(links, name);
    if (has_ipv6(add.result)) net::ensure_ipv6(name, add.host.container_netns());
    net::Batch batch(links);
    net::put_link_local(batch, {found->index, name}, found->mac, add.result.ips);
    if (!batch.empty()) batch.commit();
  }
  const auto port = net::find_link(links, found->iflink);
  if (found->kind != "veth" || !port || port->iflink != found->index ||
      port->master != bridge.index) {
    throw Error(
        Code::internal,
        fmt::format("{} exists but is no port of {}: VLAN {} can't have its gateway there", name,
                    bridge.name, options.vlan),
        fmt::format("remove or rename it (ip link del {}), or choose another bridge", name));
  }
  if (!found->up) {
    net::LinkChange change;
    change.up = true;
    net::Batch batch(links);
    net::change_link(batch, {found->index, name}, change);
    batch.commit();
    net::sync_carrier(links, port->name);
  }
  return *std::move(found);
}

void check_port_vlans(net::Netlink& links, const BridgeOptions& options, const net::Link& port) {
  const std::vector<net::PortVlan> wanted = port_vlans(options);
  if (wanted.empty()) return;
  const std::vector<net::PortVlan> present = net::list_port_vlans(links, port.index);
  for (const net::PortVlan& range : wanted) {
    // One by one: others may have made other ranges of them.
    for (std::uint16_t vlan = range.first; vlan <= range.last; ++vlan) {
      const bool there =
          std::any_of(present.begin(), present.end(), [&](const net::PortVlan& seen) {
            return seen.first <= vlan && vlan <= seen.last && seen.pvid == range.pvid &&
                   seen.untagged == range.untagged;
          });
      if (there) continue;
      throw Error(Code::internal,
                  fmt::format("port {} is not in VLAN {}{}", port.name, vlan,
                              range.pvid ? " untagged" : ""),
                  "the attachment is broken: DEL and ADD it again");
    }
  }
}

}  // namespace unicni::bridge
