#include "unicni/net/veth.h"

#include <fmt/core.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/random.h>

#include <cerrno>

#include "net/bridge_port.h"
#include "net/link_message.h"
#include "net/single_request.h"
#include "unicni/error.h"

namespace unicni::net {

namespace {

/// What a veth uses anyhow. Unasked the kernel makes queues for each CPU, takes all but the first
/// away again and waits for an RCU grace period (veth_init_queues): a sixth of an ADD, and more
/// under load.
void put_single_queue(nl_msg* message) {
  put_u32(message, IFLA_NUM_TX_QUEUES, 1);
  put_u32(message, IFLA_NUM_RX_QUEUES, 1);
}

/// What the namespace of `here` calls another one; -1: it has no name for it yet.
/// Ids of namespaces are local: each namespace numbers the others by itself. The number of
/// IFLA_LINK_NETNSID is one of the namespace that was asked.
int get_nsid(Netlink& here, const Netns& other) {
  SingleRequest request(RTM_GETNSID);
  put_header<rtgenmsg>(request);
  put_u32(request, NETNSA_FD, static_cast<std::uint32_t>(other.fd()));
  int id = -1;
  const int error = here.ask(request, [&](const nlmsghdr* message) {
    for_each_attribute(message, sizeof(rtgenmsg), [&](std::uint16_t type, const nlattr* attribute) {
      if (type == NETNSA_NSID) id = value_of<int>(attribute);
    });
  });
  if (error != 0) throw system_error(error, "look up the id of " + other.path());
  return id;
}

}  // namespace

/// One message makes both ends, the peer at once in the container's namespace under its final name.
/// Nothing has to be moved or renamed afterwards, so there is no moment at which a link of a
/// temporary name exists on the host.
void add_veth(Batch& batch, const VethSpec& spec) {
  require_alias(spec.name, spec.alias);
  const std::string where = spec.peer_netns != nullptr ? " in " + spec.peer_netns->path() : "";
  nl_msg* message =
      batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
                fmt::format("create veth {} with peer {}{}", spec.name, spec.peer_name, where));
  put_header<ifinfomsg>(message);
  if (spec.up) put_link_flag(message, IFF_UP, true);
  put_name(message, IFLA_IFNAME, spec.name);
  put_mac(message, IFLA_ADDRESS, spec.mac);
  if (spec.mtu != 0) put_u32(message, IFLA_MTU, spec.mtu);
  put_single_queue(message);
  if (spec.master != 0) {
    put_u32(message, IFLA_MASTER, static_cast<std::uint32_t>(spec.master));
  }
  {
    const Nest info(message, IFLA_LINKINFO);
    put_text(message, IFLA_INFO_KIND, "veth");
    const Nest data(message, IFLA_INFO_DATA);
    const Nest peer(message, VETH_INFO_PEER);
    put_header<ifinfomsg>(message);
    put_name(message, IFLA_IFNAME, spec.peer_name);
    put_mac(message, IFLA_ADDRESS, spec.peer_mac);
    if (spec.mtu != 0) put_u32(message, IFLA_MTU, spec.mtu);
    put_single_queue(message);
    if (spec.peer_netns != nullptr) {
      put_u32(message, IFLA_NET_NS_FD, static_cast<std::uint32_t>(spec.peer_netns->fd()));
    }
  }
  // Of a link that it makes the kernel reads neither (rtnl_create_link, rtnl_newlink_create).
  const bool port = spec.hairpin || spec.isolated;
  if (spec.alias.empty() && !port) return;
  message = change_by_name(
      batch, spec.name, fmt::format("set {} of {}", port ? "port settings" : "alias", spec.name));
  if (!spec.alias.empty()) put_alias(message, spec.alias);
  if (port) put_port_settings(message, spec.hairpin, spec.isolated);
}

/// An index alone proves nothing, as each namespace counts from 1. Both ends must name each other,
/// and the kernel's id of the other namespace must be that of `there`.
std::optional<Link> find_veth_end(Netlink& here, const Link& link, Netlink& there,
                                  const Netns& there_netns) {
  if (link.kind != "veth") return std::nullopt;
  auto end = find_link(there, link.iflink);
  if (!end || end->kind != "veth" || end->iflink != link.index) return std::nullopt;
  const bool met = link.link_netnsid ? get_nsid(here, there_netns) == *link.link_netnsid
                                     : here.identity() == there.identity();
  if (!met) return std::nullopt;
  return end;
}

std::string random_veth_name() {
  std::uint32_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) {
    throw system_error(errno, "getrandom for a veth name");
  }
  return fmt::format("veth{:08x}", random);
}

}  // namespace unicni::net
