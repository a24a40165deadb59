#include "check.h"

#include <fmt/core.h>

#include <optional>

#include "gateway.h"
#include "unicni/container_veth.h"
#include "unicni/error.h"
#include "unicni/host_side.h"
#include "unicni/interface_entry.h"
#include "unicni/masquerade.h"
#include "unicni/netfilter/reference_rules.h"
#include "vlan.h"

namespace unicni::bridge {

namespace {

constexpr const char* kAddAgain = "the attachment is broken: DEL and ADD it again";

[[noreturn]] void fail(const std::string& what, const std::string& advice = kAddAgain) {
  throw Error(Code::internal, what, advice);
}

net::Link check_bridge(const Call& call, Host& host, const BridgeOptions& options) {
  const auto bridge = net::find_link(host.host_links(), options.bridge);
  if (!bridge || bridge->kind != "bridge") {
    fail(fmt::format("bridge {} is {}", options.bridge, bridge ? "no bridge" : "missing"));
  }
  const Interface* recorded = find_interface(*call.prev_result, options.bridge, "");
  if (recorded == nullptr) {
    throw Error(Code::invalid_config,
                fmt::format("prevResult has no interface {} on the host", options.bridge),
                "the runtime must send the result of ADD as prevResult with CHECK, and the "
                "\"bridge\" of ADD");
  }
  require_same_mac(*recorded, *bridge);
  if (!bridge->up) {
    fail(fmt::format("bridge {} is down", bridge->name),
         fmt::format("ip link set {} up", bridge->name));
  }
  if (options.promisc_mode && bridge->promiscuity == 0) {
    fail(fmt::format("bridge {} is not promiscuous", bridge->name),
         fmt::format("ip link set {} promisc on", bridge->name));
  }
  return *bridge;
}

net::Link check_port(const Call& call, Host& host, const BridgeOptions& options,
                     const net::Link& bridge, const net::Link& container) {
  net::Link port = require_host_end(call, host, container);
  if (port.master != bridge.index) {
    fail(fmt::format("{} is no port of {}", port.name, bridge.name),
         fmt::format("ip link set {} master {}", port.name, bridge.name));
  }
  const auto fail_flag = [&](const char* what, const char* flag) {
    fail(fmt::format("{} of {} is off", what, port.name),
         fmt::format("bridge link set dev {} {} on", port.name, flag));
  };
  // portmap switches hairpin on, firewall isolates, too.
  if (options.hairpin_mode && !port.hairpin) fail_flag("hairpin mode", "hairpin");
  if (options.port_isolation && !port.isolated) fail_flag("isolation", "isolated");
  return port;
}

/// "cni0.100"; nullopt: this attachment's ADD didn't report it.
std::optional<net::Link> check_vlan_gateway(const Call& call, Host& host,
                                            const BridgeOptions& options, const net::Link& bridge) {
  const Interface* recorded = find_interface(*call.prev_result, vlan_gateway_name(options), "");
  if (recorded == nullptr) return std::nullopt;
  const auto gateway = net::find_link(host.host_links(), recorded->name);
  if (!gateway) {
    fail(fmt::format("{}, the gateway of VLAN {}, is missing", recorded->name, options.vlan));
  }
  require_same_mac(*recorded, *gateway);
  if (!gateway->up) {
    fail(fmt::format("{} is down", gateway->name), fmt::format("ip link set {} up", gateway->name));
  }
  const auto port = net::find_link(host.host_links(), gateway->iflink);
  if (!port || port->iflink != gateway->index || port->master != bridge.index) {
    fail(fmt::format("{} is no port of {}", gateway->name, bridge.name));
  }
  BridgeOptions untrunked = options;
  untrunked.vlan_trunk.reset();
  check_port_vlans(host.host_links(), untrunked, *port);
  return gateway;
}

/// A lease's router may be another one by now: with an IPAM like dhcp nobody knows whose address
/// the bridge should have.
void check_gateway(const Call& call, Host& host, const BridgeOptions& options,
                   const net::Link& bridge) {
  std::optional<net::Link> gateway = bridge;
  if (options.vlan != 0) gateway = check_vlan_gateway(call, host, options, bridge);
  if (!options.gateway() || !gateway) return;
  if (!host.ipam().given() || host.ipam().needs_link()) return;
  check_gateways(host, *gateway, with_own_addresses(*call.prev_result, call.key.if_name));
}

}  // namespace

void check_host(const Call& call, Host& host, const net::Link& container) {
  const auto& options = call.options<BridgeOptions>();
  const net::Link bridge = check_bridge(call, host, options);
  const net::Link port = check_port(call, host, options, bridge, container);
  // The container's own may have been changed by tuning; prevResult knows (require_same_mtu).
  require_mtu(options.mtu, port);
  check_port_vlans(host.host_links(), options, port);
  check_gateway(call, host, options, bridge);
  std::vector<net::NftElement> spoof_check;
  if (options.mac_spoof_check &&
      !net::has_reference_spoof_check(host.nft(), call.key.container_id, call.key.if_name)) {
    spoof_check = net::spoof_check_elements(port.name, container.mac, call.key.comment());
  }
  const bool masquerades = options.ip_masq && !call.ipam_type.empty();
  check_masquerade(call, host, masquerades ? *call.prev_result : Result(),
                   masq_backend(options.ip_masq_backend), spoof_check);
}

}  // namespace unicni::bridge
