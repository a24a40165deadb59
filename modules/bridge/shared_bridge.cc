#include "shared_bridge.h"

#include <fmt/core.h>

#include <cerrno>
#include <string_view>

#include "gateway.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/sysctl.h"
#include "unicni/sys/file.h"
#include "unicni/undo/bridge.h"

namespace unicni::bridge {

namespace {

/// IFLA_IFALIAS of a bridge whose MAC was set. The kernel keeps a MAC that somebody set, but tells
/// only sysfs that it does, and the /sys of this process may be another namespace's.
constexpr const char* kPinned = "unicni";

/// Whether the MAC may still follow the ports. A bridge with somebody else's alias keeps that;
/// then sysfs is asked, and where it doesn't know the MAC is set once more.
bool needs_pin(const net::Link& bridge) {
  if (bridge.alias == kPinned) return false;
  if (bridge.alias.empty()) return true;
  constexpr std::string_view kSet = "3";  // NET_ADDR_SET, linux/netdevice.h
  const auto type = sys::read_file("/sys/class/net/" + bridge.name + "/addr_assign_type");
  return !type || !type->starts_with(kSet);
}

net::Link make_bridge(LinkAdd& add, const BridgeOptions& options) {
  net::Netlink& links = add.host.host_links();
  net::BridgeSpec spec;
  spec.name = options.bridge;
  spec.mac = Mac::random();
  spec.mtu = static_cast<std::uint32_t>(options.mtu);
  spec.vlan_filtering = options.wants_vlans();
  add.host.undo().announce(undo_bridge(options.bridge));
  net::Batch batch(links);
  net::add_bridge(batch, spec);
  try {
    batch.commit();
  } catch (Error& error) {
    if (spec.vlan_filtering && batch.error_of(0) == EOPNOTSUPP) {
      throw error.advise(
          "\"vlan\" and \"vlanTrunk\" need a kernel with VLAN filtering of bridges "
          "(CONFIG_BRIDGE_VLAN_FILTERING)");
    }
    if (batch.error_of(0) != EEXIST) throw;  // else another ADD made it meanwhile
  }
  net::Link bridge = net::get_link(links, options.bridge);
  if (options.gateway()) {
    if (has_ipv6(add.result)) net::ensure_ipv6(bridge.name);
    // Before it has a carrier, with which the kernel would make it.
    net::put_link_local(batch, bridge.index, bridge.name, bridge.mac, add.result.ips);
    if (!batch.empty()) batch.commit();
  }
  return bridge;
}

}  // namespace

net::Link ensure_bridge(LinkAdd& add) {
  const auto& options = add.call.options<BridgeOptions>();
  net::Netlink& links = add.host.host_links();
  auto found = net::find_link(links, options.bridge);
  net::Link bridge = found ? *std::move(found) : make_bridge(add, options);
  if (bridge.kind != "bridge") {
    throw Error(Code::internal,
                fmt::format("{} exists but is a {} link, not a bridge", bridge.name,
                            bridge.kind.empty() ? "physical" : bridge.kind),
                "choose another name in \"bridge\", or rename that link");
  }
  if (options.wants_vlans() && !bridge.vlan_filtering) {
    add.host.log(LogLevel::warning,
                 fmt::format("bridge {} was made without VLAN filtering: the VLANs of its ports "
                             "mean nothing until: ip link set {} type bridge vlan_filtering 1",
                             bridge.name, bridge.name));
  }
  net::LinkChange change;
  if (options.promisc_mode && !bridge.promisc) change.promisc = true;
  if (!bridge.up) change.up = true;
  if (needs_pin(bridge) || bridge.mac.is_zero()) {
    if (bridge.mac.is_zero()) bridge.mac = Mac::random();  // its last port took the MAC along
    change.mac = bridge.mac;
    net::set_sysctl("net/ipv6/conf/" + bridge.name + "/accept_ra", "0");
    // Last, as who finds it does none of this again.
    if (bridge.alias.empty()) change.alias = kPinned;
  }
  if (change.promisc || change.up || change.mac) {
    net::Batch batch(links);
    net::change_link(batch, bridge.index, bridge.name, change);
    batch.commit();
  }
  return bridge;
}

}  // namespace unicni::bridge
