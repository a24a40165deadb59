#include "unicni/container_veth.h"

#include <fmt/core.h>

#include "unicni/error.h"
#include "unicni/interface_entry.h"
#include "unicni/net/sysctl.h"
#include "unicni/undo/veth.h"

namespace unicni {

net::LinkRef make_veth(net::Netlink& links, net::VethSpec veth) {
  const bool port = veth.master != 0;
  veth.up = !port;
  net::Batch batch(links);
  net::add_veth(batch, veth);
  batch.commit();
  const net::LinkRef end{net::get_link_index(links, veth.name), veth.name};
  // A port, too, for the day on which it leaves its bridge and somebody gives it IPv6 back.
  net::set_sysctl("net/ipv6/conf/" + veth.name + "/accept_ra", "0", veth.peer_netns);
  if (!port) return end;
  net::switch_ipv6_off(veth.name, veth.peer_netns);
  net::LinkChange change;
  change.up = true;
  net::change_link(batch, end, change);
  batch.commit();
  return end;
}

MadeLink create_veth(LinkAdd& add, net::VethSpec veth) {
  veth.name = net::random_veth_name();
  veth.alias = add.call.key.alias();
  if (veth.mac.is_zero()) veth.mac = Mac::random();
  veth.peer_name = add.call.key.if_name;
  if (veth.peer_mac.is_zero()) veth.peer_mac = Mac::random();
  veth.peer_netns = add.host.container_netns();
  add.host.undo().announce(undo_veth(veth.name, veth.alias));
  MadeLink made;
  made.host_end = make_veth(add.host.host_links(), veth);
  made.host_mac = veth.mac;
  made.link = {net::get_link_index(add.host.container_links(), veth.peer_name), veth.peer_name};
  made.mac = veth.peer_mac;
  made.mtu = veth.mtu_or_default();
  add.result.interfaces.push_back(
      host_interface(add.call, veth.name, veth.mac, veth.mtu_or_default()));
  return made;
}

net::Link require_host_end(const Call& call, Host& host, const net::Link& container) {
  auto end =
      net::find_veth_end(host.container_links(), container, host.host_links(), host.host_netns());
  if (!end) {
    throw Error(Code::internal, fmt::format("{} has no veth end on this host", container.name),
                "the attachment is broken: DEL and ADD it again");
  }
  if (!end->up) {
    throw Error(Code::internal, fmt::format("{} is down", end->name),
                fmt::format("ip link set {} up", end->name));
  }
  if (const Interface* recorded = find_interface(*call.prev_result, end->name, "")) {
    require_same_mac(*recorded, *end);
    require_same_mtu(*recorded, *end);
  }
  return *std::move(end);
}

}  // namespace unicni
