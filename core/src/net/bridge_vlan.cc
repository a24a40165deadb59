#include "unicni/net/bridge_vlan.h"

#include <fmt/core.h>
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "net/attribute.h"
#include "net/single_request.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

void put_vlan(nl_msg* message, std::uint16_t flags, std::uint16_t vid) {
  bridge_vlan_info info{};
  info.flags = flags;
  info.vid = vid;
  put_bytes(message, IFLA_BRIDGE_VLAN_INFO, sizeof info, &info);
}

/// A range is two entries, its begin and its end. The kernel refuses a PVID on a range, as a port
/// has one at most.
void put_vlans(nl_msg* message, int index, const PortVlan& vlan) {
  auto& header = put_header<ifinfomsg>(message);
  header.ifi_family = AF_BRIDGE;
  header.ifi_index = index;
  std::uint16_t flags = 0;
  if (vlan.pvid) flags |= BRIDGE_VLAN_INFO_PVID;
  if (vlan.untagged) flags |= BRIDGE_VLAN_INFO_UNTAGGED;
  const Nest spec(message, IFLA_AF_SPEC);
  if (vlan.first == vlan.last) {
    put_vlan(message, flags, vlan.first);
    return;
  }
  put_vlan(message, flags | BRIDGE_VLAN_INFO_RANGE_BEGIN, vlan.first);
  put_vlan(message, flags | BRIDGE_VLAN_INFO_RANGE_END, vlan.last);
}

std::string text_of(const PortVlan& vlan) {
  return vlan.first == vlan.last ? fmt::format("VLAN {}", vlan.first)
                                 : fmt::format("VLANs {}-{}", vlan.first, vlan.last);
}

PortVlan parse_vlan(const nlattr* entry) {
  PortVlan vlan;
  for_each_attribute(entry, [&](std::uint16_t type, const nlattr* attribute) {
    if (type == BRIDGE_VLANDB_ENTRY_INFO) {
      const auto info = value_of<bridge_vlan_info>(attribute);
      vlan.first = info.vid;
      vlan.last = std::max(vlan.last, info.vid);
      vlan.pvid = (info.flags & BRIDGE_VLAN_INFO_PVID) != 0;
      vlan.untagged = (info.flags & BRIDGE_VLAN_INFO_UNTAGGED) != 0;
    }
    if (type == BRIDGE_VLANDB_ENTRY_RANGE) vlan.last = value_of<std::uint16_t>(attribute);
  });
  return vlan;
}

}  // namespace

void add_port_vlan(Batch& batch, const LinkRef& link, const PortVlan& vlan) {
  put_vlans(
      batch.add(RTM_SETLINK, 0, fmt::format("add {} to bridge port {}", text_of(vlan), link.name)),
      link.index, vlan);
}

void remove_port_vlans(Batch& batch, const LinkRef& link) {
  // Of a range the kernel deletes what there is: no need to ask first.
  put_vlans(batch.add(RTM_DELLINK, 0, fmt::format("remove the VLANs of bridge port {}", link.name)),
            link.index, {1, kLastVlan, false, false});
}

/// RTM_GETVLAN (Linux 5.6) reports the VLANs of one port. The older way, a dump of AF_BRIDGE links,
/// has all ports of all bridges.
std::vector<PortVlan> list_port_vlans(Netlink& netlink, int index) {
  SingleRequest request(RTM_GETVLAN, NLM_F_DUMP);
  auto& header = put_header<br_vlan_msg>(request);
  header.family = AF_BRIDGE;
  header.ifindex = static_cast<std::uint32_t>(index);
  std::vector<PortVlan> vlans;
  const int error = netlink.ask(request, [&](const nlmsghdr* message) {
    const auto& answer = family_header<br_vlan_msg>(message);
    if (answer.ifindex != static_cast<std::uint32_t>(index)) return;
    for_each_attribute(message, sizeof answer, [&](std::uint16_t type, const nlattr* attribute) {
      if (type == BRIDGE_VLANDB_ENTRY) vlans.push_back(parse_vlan(attribute));
    });
  });
  if (error == EOPNOTSUPP || error == ENODEV) return {};
  if (error != 0) throw system_error(error, fmt::format("list VLANs of link {}", index));
  std::sort(vlans.begin(), vlans.end(),
            [](const PortVlan& a, const PortVlan& b) { return a.first < b.first; });
  return vlans;
}

}  // namespace unicni::net
