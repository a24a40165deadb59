// Links by rtnetlink: looking them up, changing, moving and renaming them. What differs by kind of
// link is in a file of its own.
#include "unicni/net/link.h"

#include <fmt/core.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/link_message.h"
#include "net/single_request.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

/// Attributes of IFLA_LINKINFO may come in any order, and how the data is read depends on the kind.
/// So all are collected first.
void parse_info(const nlattr* info, Link& link) {
  std::string port_kind;
  const nlattr* port = nullptr;
  const nlattr* data = nullptr;
  for_each_attribute(info, [&](std::uint16_t type, const nlattr* attribute) {
    if (type == IFLA_INFO_KIND) link.kind = text_of(attribute);
    if (type == IFLA_INFO_DATA) data = attribute;
    if (type == IFLA_INFO_SLAVE_KIND) port_kind = text_of(attribute);
    if (type == IFLA_INFO_SLAVE_DATA) port = attribute;
  });
  const auto flag = [](const nlattr* attribute) { return value_of<std::uint8_t>(attribute) != 0; };
  if (data != nullptr && link.kind == "bridge") {
    for_each_attribute(data, [&](std::uint16_t type, const nlattr* attribute) {
      if (type == IFLA_BR_VLAN_FILTERING) link.vlan_filtering = flag(attribute);
    });
  }
  if (port == nullptr || port_kind != "bridge") return;
  for_each_attribute(port, [&](std::uint16_t type, const nlattr* attribute) {
    if (type == IFLA_BRPORT_MODE) link.hairpin = flag(attribute);
    if (type == IFLA_BRPORT_ISOLATED) link.isolated = flag(attribute);
  });
}

/// Flags are those that a user set: dev_get_flags() leaves out what a bridge or a packet socket
/// asked of the link, which shows in the counter IFLA_PROMISCUITY only.
Link parse_link(const nlmsghdr* message) {
  const auto& header = family_header<ifinfomsg>(message);
  Link link;
  link.index = header.ifi_index;
  link.up = (header.ifi_flags & IFF_UP) != 0;
  link.lower_up = (header.ifi_flags & IFF_LOWER_UP) != 0;
  link.promisc = (header.ifi_flags & IFF_PROMISC) != 0;
  link.allmulti = (header.ifi_flags & IFF_ALLMULTI) != 0;
  for_each_attribute(message, sizeof header, [&](std::uint16_t type, const nlattr* attribute) {
    switch (type) {
      case IFLA_IFNAME:
        link.name = text_of(attribute);
        break;
      case IFLA_IFALIAS:
        link.alias = text_of(attribute);
        break;
      case IFLA_ADDRESS:
        // InfiniBand's have 20 bytes and are no MAC.
        if (bytes_of(attribute).size() == Mac().bytes().size()) link.mac = mac_of(attribute);
        break;
      case IFLA_PERM_ADDRESS:
        if (bytes_of(attribute).size() == Mac().bytes().size()) {
          link.permanent_mac = mac_of(attribute);
        }
        break;
      case IFLA_PARENT_DEV_BUS_NAME:
        link.parent_bus = text_of(attribute);
        break;
      case IFLA_PARENT_DEV_NAME:
        link.parent = text_of(attribute);
        break;
      case IFLA_MTU:
        link.mtu = value_of<std::uint32_t>(attribute);
        break;
      case IFLA_TXQLEN:
        link.tx_queue_len = value_of<std::uint32_t>(attribute);
        break;
      case IFLA_PROMISCUITY:
        link.promiscuity = value_of<std::uint32_t>(attribute);
        break;
      case IFLA_MASTER:
        link.master = value_of<int>(attribute);
        break;
      case IFLA_LINK:
        link.iflink = value_of<int>(attribute);
        break;
      // Present only where the other end is in another namespace. An `iflink` without it is an
      // index of this one.
      case IFLA_LINK_NETNSID:
        link.link_netnsid = value_of<int>(attribute);
        break;
      case IFLA_LINKINFO:
        parse_info(attribute, link);
        break;
      default:
        break;
    }
  });
  return link;
}

/// Without statistics: the kernel would add them up over all CPUs for every link that it reports.
std::optional<Link> ask_for_link(Netlink& netlink, SingleRequest& request,
                                 const std::string& what) {
  put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  std::optional<Link> link;
  const int error =
      netlink.ask(request, [&](const nlmsghdr* message) { link = parse_link(message); });
  if (error == ENODEV) return std::nullopt;
  if (error != 0) throw system_error(error, "look up " + what);
  return link;
}

void put_arp_notify(nl_msg* message, bool on) {
  const Nest spec(message, IFLA_AF_SPEC);
  const Nest inet(message, AF_INET);
  const Nest conf(message, IFLA_INET_CONF);
  put_u32(message, IPV4_DEVCONF_ARP_NOTIFY, on ? 1 : 0);
}

}  // namespace

/// A name that no link can have is an absent link. The kernel would call it an invalid request.
std::optional<Link> find_link(Netlink& netlink, const std::string& name) {
  if (!is_link_name(name)) return std::nullopt;
  SingleRequest request(RTM_GETLINK);
  put_header<ifinfomsg>(request);
  put_name(request, IFLA_IFNAME, name);
  return ask_for_link(netlink, request, "link " + name);
}

/// Index 0 would be a request without a filter.
std::optional<Link> find_link(Netlink& netlink, int index) {
  if (index <= 0) return std::nullopt;
  SingleRequest request(RTM_GETLINK);
  put_header<ifinfomsg>(request).ifi_index = index;
  return ask_for_link(netlink, request, fmt::format("link {}", index));
}

Link get_link(Netlink& netlink, const std::string& name) {
  if (auto link = find_link(netlink, name)) return *std::move(link);
  throw system_error(ENODEV, "look up link " + name);
}

namespace {

/// netdevice(7)
ifreq ask_device(Netlink& netlink, const std::string& name, unsigned long question) {
  if (!is_link_name(name)) throw system_error(ENODEV, "look up link " + name);
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  if (::ioctl(netlink.fd(), question, &request) != 0) {
    throw system_error(errno, "look up link " + name);
  }
  return request;
}

}  // namespace

/// An ioctl copies one small structure, where a netlink answer about a link is made of some sixty
/// attributes.
int get_link_index(Netlink& netlink, const std::string& name) {
  return ask_device(netlink, name, SIOCGIFINDEX).ifr_ifindex;
}

std::uint32_t get_link_mtu(Netlink& netlink, const std::string& name) {
  return static_cast<std::uint32_t>(ask_device(netlink, name, SIOCGIFMTU).ifr_mtu);
}

/// The kernel compares IFLA_MASTER itself, so a host with a thousand veths reports the ports of one
/// bridge only.
std::vector<Link> list_ports(Netlink& netlink, int bridge) {
  SingleRequest request(RTM_GETLINK, NLM_F_DUMP);
  put_header<ifinfomsg>(request);
  put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  put_u32(request, IFLA_MASTER, static_cast<std::uint32_t>(bridge));
  std::vector<Link> ports;
  const int error =
      netlink.ask(request, [&](const nlmsghdr* message) { ports.push_back(parse_link(message)); });
  if (error != 0) throw system_error(error, fmt::format("list ports of link {}", bridge));
  return ports;
}

std::vector<Link> list_links(Netlink& netlink, const std::string& kind) {
  SingleRequest request(RTM_GETLINK, NLM_F_DUMP);
  put_header<ifinfomsg>(request);
  put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  {
    const Nest info(request, IFLA_LINKINFO);
    put_text(request, IFLA_INFO_KIND, kind);
  }
  std::vector<Link> links;
  const int error =
      netlink.ask(request, [&](const nlmsghdr* message) { links.push_back(parse_link(message)); });
  if (error != 0) throw system_error(error, fmt::format("list {} links", kind));
  // A kind that nobody has used yet filters nothing.
  std::erase_if(links, [&](const Link& link) { return link.kind != kind; });
  return links;
}

std::vector<Link> list_links(Netlink& netlink) {
  SingleRequest request(RTM_GETLINK, NLM_F_DUMP);
  put_header<ifinfomsg>(request);
  put_u32(request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  std::vector<Link> links;
  const int error =
      netlink.ask(request, [&](const nlmsghdr* message) { links.push_back(parse_link(message)); });
  if (error != 0) throw system_error(error, "list links");
  return links;
}

void bring_up(Netlink& links, const Link& link) {
  if (link.up) return;
  Batch batch(links);
  change_link(batch, link, {.up = true});
  batch.commit();
}

/// Everything in one message. The kernel applies MAC and MTU before the flags, whatever the order
/// of the attributes, so a link is never UP with a MAC that it doesn't keep. It stops at the first
/// setting that fails and leaves those before it changed.
void change_link(Batch& batch, const LinkRef& link, const LinkChange& change) {
  if (change.alias) require_alias(link.name, *change.alias);
  const auto start = [&](std::string what) {
    nl_msg* message = batch.add(RTM_SETLINK, 0, std::move(what));
    put_header<ifinfomsg>(message).ifi_index = link.index;
    return message;
  };
  if (!change.up && !change.promisc && !change.allmulti && !change.mtu && !change.tx_queue_len &&
      !change.mac && !change.alias && !change.arp_notify) {
    return;
  }
  std::string what = "set";
  if (change.arp_notify) what += " arp_notify";
  if (change.mac) what += fmt::format(" MAC {}", change.mac->str());
  if (change.mtu) what += fmt::format(" MTU {}", *change.mtu);
  if (change.tx_queue_len) what += fmt::format(" transmit queue length {}", *change.tx_queue_len);
  if (change.promisc) what += *change.promisc ? " promiscuous" : " not promiscuous";
  if (change.allmulti) what += *change.allmulti ? " all-multicast" : " not all-multicast";
  if (change.alias) what += fmt::format(" alias \"{}\"", *change.alias);
  if (change.up) what += *change.up ? " up" : " down";
  nl_msg* message = start(fmt::format("{} on {}", what, link.name));
  if (change.up) put_link_flag(message, IFF_UP, *change.up);
  if (change.promisc) put_link_flag(message, IFF_PROMISC, *change.promisc);
  if (change.allmulti) put_link_flag(message, IFF_ALLMULTI, *change.allmulti);
  if (change.mac) put_mac(message, IFLA_ADDRESS, *change.mac);
  if (change.mtu) put_u32(message, IFLA_MTU, *change.mtu);
  if (change.tx_queue_len) put_u32(message, IFLA_TXQLEN, *change.tx_queue_len);
  if (change.alias) put_alias(message, *change.alias);
  if (change.arp_notify) put_arp_notify(message, *change.arp_notify);
}

/// Before Linux 6.2 most links can be renamed only while they are down (EBUSY).
void rename_link(Batch& batch, const LinkRef& link, const std::string& new_name) {
  nl_msg* message = batch.add(RTM_SETLINK, 0, fmt::format("rename {} to {}", link.name, new_name));
  put_header<ifinfomsg>(message).ifi_index = link.index;
  put_name(message, IFLA_IFNAME, new_name);
}

/// Namespace, name and alias in one message: at no moment is the link in the new namespace under
/// its old name, where that could clash. The kernel sets the alias after the move, in the new
/// namespace.
void move_link(Batch& batch, const LinkRef& link, const Netns& to, const std::string& new_name,
               const std::string& alias, int new_index) {
  require_alias(new_name, alias);
  nl_msg* message =
      batch.add(RTM_SETLINK, 0, fmt::format("move {} to {} as {}", link.name, to.path(), new_name));
  put_header<ifinfomsg>(message).ifi_index = link.index;
  put_name(message, IFLA_IFNAME, new_name);
  put_u32(message, IFLA_NET_NS_FD, static_cast<std::uint32_t>(to.fd()));
  if (new_index != 0) {
    put_u32(message, IFLA_NEW_IFINDEX, static_cast<std::uint32_t>(new_index));
  }
  put_alias(message, alias);
}

/// The carrier of a new veth is noticed by a work item of the kernel (linkwatch), up to a second
/// later. ETHTOOL_GLINK makes it look at once.
void sync_carrier(Netlink& netlink, const std::string& name) {
  ethtool_value value{};
  value.cmd = ETHTOOL_GLINK;
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  // What fails here costs nothing but a moment: the kernel's worker does the same a little later.
  static_cast<void>(::ioctl(netlink.fd(), SIOCETHTOOL, &request));
}

/// Master 0 releases the link from what it is a port of.
void set_master(Batch& batch, const LinkRef& link, const LinkRef& master) {
  nl_msg* message =
      batch.add(RTM_SETLINK, 0,
                master.index == 0 ? fmt::format("release {} from {}", link.name, master.name)
                                  : fmt::format("make {} a port of {}", link.name, master.name));
  put_header<ifinfomsg>(message).ifi_index = link.index;
  put_u32(message, IFLA_MASTER, static_cast<std::uint32_t>(master.index));
}

}  // namespace unicni::net
