// "gateway-veth": the interface of the host that has the gateway's address in a VLAN of a bridge.
// Later attachments in that VLAN use it, so only a failed ADD takes it away, and only if no other
// port is in the VLAN.
#include "unicni/undo/gateway_veth.h"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "undo/shared_objects.h"
#include "unicni/net/bridge_vlan.h"

namespace unicni {

Undo undo_gateway_veth(const std::string& name, const std::string& bridge) {
  return Undo{"gateway-veth", 1, true, {{"name", name}, {"bridge", bridge}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

bool share_a_vlan(const std::vector<net::PortVlan>& some,
                  const std::vector<net::PortVlan>& others) {
  return std::any_of(some.begin(), some.end(), [&](const net::PortVlan& one) {
    return std::any_of(others.begin(), others.end(), [&](const net::PortVlan& other) {
      return one.first <= other.last && other.first <= one.last;
    });
  });
}

/// Only ports in the gateway's VLAN can be those of its users. Where no VLANs are known any port
/// may be.
FoundLink look(const Undo& record, Undoing& undoing) {
  net::Netlink& links = undoing.host.host_links();
  auto gateway = net::find_link(links, field(record, "name"));
  if (!gateway) return {};
  const auto bridge = net::find_link(links, field(record, "bridge"));
  if (gateway->kind != "veth" || !bridge) return {Found::others};
  const auto vlans = net::list_port_vlans(links, gateway->iflink);
  const auto ports = net::list_ports(links, bridge->index);
  const bool idle = std::all_of(ports.begin(), ports.end(), [&](const net::Link& port) {
    if (port.index == gateway->iflink) return true;
    return !vlans.empty() && !share_a_vlan(vlans, net::list_port_vlans(links, port.index));
  });
  return judge(std::move(gateway), idle);
}

void undo_one(const Undo& record, Undoing& undoing) {
  // Looked at once more under the lock: another ADD may have become a user since.
  const auto lock = hold_shared_objects(undoing.host);
  const FoundLink gateway = look(record, undoing);
  if (gateway.link) net::remove_link(undoing.host.host_links(), gateway.link->index);
}

std::string describe(const Undo& record) {
  return fmt::format("gateway {} of a VLAN of bridge {}", field(record, "name"),
                     field(record, "bridge"));
}

}  // namespace

const UndoKind kGatewayVethKind = {"gateway-veth", Turn::objects, &find_by<look>, &each<undo_one>,
                                   &describe};

}  // namespace unicni::undo
