#include "unicni/net/link.h"

#include <fmt/core.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/veth.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <cerrno>

#include "net/attribute.h"
#include "net/question.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr std::size_t kAliasLimit = 255;  // IFALIASZ - 1
constexpr std::uint16_t kCreate = NLM_F_CREATE | NLM_F_EXCL;

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

std::optional<Link> ask_for_link(Netlink& netlink, Question& question, const std::string& what) {
  put_u32(question.message(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  std::optional<Link> link;
  const int error =
      netlink.ask(question.message(), [&](const nlmsghdr* message) { link = parse_link(message); });
  if (error == ENODEV) return std::nullopt;
  if (error != 0) throw system_error(error, "look up " + what);
  return link;
}

/// A RTM_NEWLINK for a link that is named, because its index isn't known yet.
nl_msg* change_by_name(Batch& batch, const std::string& name, std::string what) {
  nl_msg* message = batch.add(RTM_NEWLINK, 0, std::move(what));
  put_header<ifinfomsg>(message).ifi_family = AF_UNSPEC;
  put_name(message, IFLA_IFNAME, name);
  return message;
}

void put_flag(nl_msg* message, unsigned flag, bool on) {
  auto& header = family_header<ifinfomsg>(message);
  header.ifi_change |= flag;
  if (on) header.ifi_flags |= flag;
}

/// What a veth uses anyhow. Unasked the kernel makes queues for each CPU, takes all but the first
/// away again and waits for an RCU grace period (veth_init_queues): a sixth of an ADD, and more
/// under load.
void put_single_queue(nl_msg* message) {
  put_u32(message, IFLA_NUM_TX_QUEUES, 1);
  put_u32(message, IFLA_NUM_RX_QUEUES, 1);
}

/// Before a batch holds half of what the caller wants.
void require_alias(const std::string& name, const std::string& alias) {
  if (alias.size() <= kAliasLimit) return;
  throw Error(Code::internal, fmt::format("alias of {} has {} bytes", name, alias.size()),
              fmt::format("at most {} are possible", kAliasLimit));
}

void put_alias(nl_msg* message, const std::string& alias) {
  put_bytes(message, IFLA_IFALIAS, alias.size(), alias.data());
}

void put_port_settings(nl_msg* message, bool hairpin, bool isolated) {
  const Nest info(message, IFLA_LINKINFO);
  put_text(message, IFLA_INFO_SLAVE_KIND, "bridge");
  const Nest port(message, IFLA_INFO_SLAVE_DATA);
  put_u8(message, IFLA_BRPORT_MODE, hairpin ? 1 : 0);
  put_u8(message, IFLA_BRPORT_ISOLATED, isolated ? 1 : 0);
}

void put_arp_notify(nl_msg* message, bool on) {
  const Nest spec(message, IFLA_AF_SPEC);
  const Nest inet(message, AF_INET);
  const Nest conf(message, IFLA_INET_CONF);
  put_u32(message, IPV4_DEVCONF_ARP_NOTIFY, on ? 1 : 0);
}

}  // namespace

std::optional<Link> find_link(Netlink& netlink, const std::string& name) {
  if (!is_link_name(name)) return std::nullopt;
  Question question(RTM_GETLINK);
  put_header<ifinfomsg>(question.message());
  put_name(question.message(), IFLA_IFNAME, name);
  return ask_for_link(netlink, question, "link " + name);
}

std::optional<Link> find_link(Netlink& netlink, int index) {
  if (index <= 0) return std::nullopt;
  Question question(RTM_GETLINK);
  put_header<ifinfomsg>(question.message()).ifi_index = index;
  return ask_for_link(netlink, question, fmt::format("link {}", index));
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

int get_link_index(Netlink& netlink, const std::string& name) {
  return ask_device(netlink, name, SIOCGIFINDEX).ifr_ifindex;
}

std::uint32_t get_link_mtu(Netlink& netlink, const std::string& name) {
  return static_cast<std::uint32_t>(ask_device(netlink, name, SIOCGIFMTU).ifr_mtu);
}

namespace {

/// What the namespace of `here` calls another one; -1: it has no name for it yet.
int get_nsid(Netlink& here, const Netns& other) {
  Question question(RTM_GETNSID);
  put_header<rtgenmsg>(question.message());
  put_u32(question.message(), NETNSA_FD, static_cast<std::uint32_t>(other.fd()));
  int id = -1;
  const int error = here.ask(question.message(), [&](const nlmsghdr* message) {
    for_each_attribute(message, sizeof(rtgenmsg), [&](std::uint16_t type, const nlattr* attribute) {
      if (type == NETNSA_NSID) id = value_of<int>(attribute);
    });
  });
  if (error != 0) throw system_error(error, "look up the id of " + other.path());
  return id;
}

}  // namespace

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

std::vector<Link> list_ports(Netlink& netlink, int bridge) {
  Question question(RTM_GETLINK, NLM_F_DUMP);
  put_header<ifinfomsg>(question.message());
  put_u32(question.message(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  put_u32(question.message(), IFLA_MASTER, static_cast<std::uint32_t>(bridge));
  std::vector<Link> ports;
  const int error = netlink.ask(
      question.message(), [&](const nlmsghdr* message) { ports.push_back(parse_link(message)); });
  if (error != 0) throw system_error(error, fmt::format("list ports of link {}", bridge));
  return ports;
}

std::vector<Link> list_links(Netlink& netlink, const std::string& kind) {
  Question question(RTM_GETLINK, NLM_F_DUMP);
  put_header<ifinfomsg>(question.message());
  put_u32(question.message(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  {
    const Nest info(question.message(), IFLA_LINKINFO);
    put_text(question.message(), IFLA_INFO_KIND, kind);
  }
  std::vector<Link> links;
  const int error = netlink.ask(
      question.message(), [&](const nlmsghdr* message) { links.push_back(parse_link(message)); });
  if (error != 0) throw system_error(error, fmt::format("list {} links", kind));
  // A kind that nobody has used yet filters nothing.
  std::erase_if(links, [&](const Link& link) { return link.kind != kind; });
  return links;
}

std::vector<Link> list_links(Netlink& netlink) {
  Question question(RTM_GETLINK, NLM_F_DUMP);
  put_header<ifinfomsg>(question.message());
  put_u32(question.message(), IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  std::vector<Link> links;
  const int error = netlink.ask(
      question.message(), [&](const nlmsghdr* message) { links.push_back(parse_link(message)); });
  if (error != 0) throw system_error(error, "list links");
  return links;
}

void add_veth(Batch& batch, const VethSpec& spec) {
  require_alias(spec.name, spec.alias);
  const std::string where = spec.peer_netns != nullptr ? " in " + spec.peer_netns->path() : "";
  nl_msg* message =
      batch.add(RTM_NEWLINK, kCreate,
                fmt::format("create veth {} with peer {}{}", spec.name, spec.peer_name, where));
  put_header<ifinfomsg>(message);
  if (spec.up) put_flag(message, IFF_UP, true);
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

void set_port_flag(Batch& batch, const LinkRef& link, PortFlag flag, bool on) {
  const bool isolated = flag == PortFlag::isolated;
  nl_msg* message = batch.add(RTM_NEWLINK, 0,
                              fmt::format("set port {} {} {}", link.name,
                                          isolated ? "isolated" : "hairpin", on ? "on" : "off"),
                              // What is switched off may be on its way out with its namespace.
                              on ? std::vector<int>() : std::vector<int>{ENODEV});
  put_header<ifinfomsg>(message).ifi_index = link.index;
  const Nest info(message, IFLA_LINKINFO);
  put_text(message, IFLA_INFO_SLAVE_KIND, "bridge");
  const Nest port(message, IFLA_INFO_SLAVE_DATA);
  put_u8(message, isolated ? IFLA_BRPORT_ISOLATED : IFLA_BRPORT_MODE, on ? 1 : 0);
}

void add_bridge(Batch& batch, const BridgeSpec& spec) {
  require_alias(spec.name, spec.alias);
  nl_msg* message = batch.add(RTM_NEWLINK, kCreate, fmt::format("create bridge {}", spec.name));
  put_header<ifinfomsg>(message);
  put_flag(message, IFF_UP, true);
  put_name(message, IFLA_IFNAME, spec.name);
  put_mac(message, IFLA_ADDRESS, spec.mac);
  if (spec.mtu != 0) put_u32(message, IFLA_MTU, spec.mtu);
  {
    const Nest info(message, IFLA_LINKINFO);
    put_text(message, IFLA_INFO_KIND, "bridge");
    if (spec.vlan_filtering) {
      const Nest data(message, IFLA_INFO_DATA);
      put_u8(message, IFLA_BR_VLAN_FILTERING, 1);
    }
  }
  if (spec.alias.empty()) return;
  message = change_by_name(batch, spec.name, fmt::format("set alias of {}", spec.name));
  put_alias(message, spec.alias);
}

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
  if (change.up) put_flag(message, IFF_UP, *change.up);
  if (change.promisc) put_flag(message, IFF_PROMISC, *change.promisc);
  if (change.allmulti) put_flag(message, IFF_ALLMULTI, *change.allmulti);
  if (change.mac) put_mac(message, IFLA_ADDRESS, *change.mac);
  if (change.mtu) put_u32(message, IFLA_MTU, *change.mtu);
  if (change.tx_queue_len) put_u32(message, IFLA_TXQLEN, *change.tx_queue_len);
  if (change.alias) put_alias(message, *change.alias);
  if (change.arp_notify) put_arp_notify(message, *change.arp_notify);
}

void rename_link(Batch& batch, const LinkRef& link, const std::string& new_name) {
  nl_msg* message = batch.add(RTM_SETLINK, 0, fmt::format("rename {} to {}", link.name, new_name));
  put_header<ifinfomsg>(message).ifi_index = link.index;
  put_name(message, IFLA_IFNAME, new_name);
}

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

void sync_carrier(Netlink& netlink, const std::string& name) {
  ethtool_value value{};
  value.cmd = ETHTOOL_GLINK;
  ifreq request{};
  name.copy(request.ifr_name, IFNAMSIZ - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);
  // What fails here costs nothing but a moment: the kernel's worker does the same a little later.
  static_cast<void>(::ioctl(netlink.fd(), SIOCETHTOOL, &request));
}

void set_master(Batch& batch, const LinkRef& link, const LinkRef& master) {
  nl_msg* message =
      batch.add(RTM_SETLINK, 0,
                master.index == 0 ? fmt::format("release {} from {}", link.name, master.name)
                                  : fmt::format("make {} a port of {}", link.name, master.name));
  put_header<ifinfomsg>(message).ifi_index = link.index;
  put_u32(message, IFLA_MASTER, static_cast<std::uint32_t>(master.index));
}

std::string random_veth_name() {
  std::uint32_t random = 0;
  if (::getrandom(&random, sizeof random, 0) != sizeof random) {
    throw system_error(errno, "getrandom for a veth name");
  }
  return fmt::format("veth{:08x}", random);
}

}  // namespace unicni::net
