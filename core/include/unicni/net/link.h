// Links of any kind. Attributes are those of linux/if_link.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unicni/mac.h"
#include "unicni/net/netlink.h"

namespace unicni::net {

/// The link that something is done to: the kernel goes by the index, errors tell the name.
struct LinkRef {
  int index = 0;
  std::string name;
};

struct Link {
  int index = 0;
  std::string name;
  std::string kind;   ///< IFLA_INFO_KIND: "veth", "bridge" …; empty for hardware and lo
  std::string alias;  ///< IFLA_IFALIAS
  Mac mac;
  std::uint32_t mtu = 0;           ///< bytes
  bool up = false;                 ///< IFF_UP
  bool lower_up = false;           ///< IFF_LOWER_UP: carrier
  bool promisc = false;            ///< IFF_PROMISC was set by an administrator
  bool allmulti = false;           ///< IFF_ALLMULTI was
  std::uint32_t promiscuity = 0;   ///< how many users want promiscuous mode
  std::uint32_t tx_queue_len = 0;  ///< IFLA_TXQLEN, packets
  int master = 0;                  ///< ifindex of the bridge …; 0: none
  int iflink = 0;  ///< IFLA_LINK: veth's other end, macvlan's parent (an ifindex); 0: none
  /// IFLA_LINK_NETNSID: `iflink` counts in another namespace, which the link's own calls this.
  std::optional<int> link_netnsid = {};
  bool hairpin = false;         ///< bridge port: IFLA_BRPORT_MODE
  bool isolated = false;        ///< bridge port: IFLA_BRPORT_ISOLATED
  bool vlan_filtering = false;  ///< bridge: IFLA_BR_VLAN_FILTERING
  /// What the hardware was made with, whatever `mac` is today; virtual links have none
  /// (IFLA_PERM_ADDRESS, Linux 5.6).
  std::optional<Mac> permanent_mac = {};
  /// The device of sysfs that it belongs to, "pci" "0000:00:03.0" or "virtio" "virtio2"; empty for
  /// virtual links (IFLA_PARENT_DEV_BUS_NAME and _NAME, Linux 5.14).
  std::string parent_bus = {};
  std::string parent = {};

  // NOLINTNEXTLINE(google-explicit-constructor): each link is one
  operator LinkRef() const { return {index, name}; }
};

std::optional<Link> find_link(Netlink&, const std::string& name);
std::optional<Link> find_link(Netlink&, int index);
/// Throws Error if absent.
Link get_link(Netlink&, const std::string& name);
/// The ifindex alone, at a tenth of get_link()'s price, of a link that is surely there: for a name
/// that doesn't exist the kernel may try to load a module (netdevice(7), SIOCGIFINDEX). Throws
/// Error if absent.
int get_link_index(Netlink&, const std::string& name);
/// Its MTU in bytes, as cheaply. Throws Error if absent.
std::uint32_t get_link_mtu(Netlink&, const std::string& name);
/// Ports of a bridge (dump filtered by master).
std::vector<Link> list_ports(Netlink&, int bridge);
/// All links of one kind.
std::vector<Link> list_links(Netlink&, const std::string& kind);
/// All links, for searches that neither name nor index can answer.
std::vector<Link> list_links(Netlink&);

/// RTM_DELLINK; false if it wasn't there. For veth both ends go. Returns when the link has gone:
/// nobody sees it, its name is free. The kernel lets whoever asked wait until the memory is free as
/// well (13 to 20 ms, rcu_barrier in netdev_run_todo); that is left to a child process, which
/// outlives the caller.
bool remove_link(Netlink&, int index);

/// Things to change on an existing link; what is not set stays.
struct LinkChange {
  std::optional<bool> up = {};
  std::optional<bool> promisc = {};
  std::optional<bool> allmulti = {};
  std::optional<std::uint32_t> mtu = {};
  std::optional<std::uint32_t> tx_queue_len = {};
  std::optional<Mac> mac = {};  ///< the same one again is an event, too: see net/neigh.h
  /// IPV4_DEVCONF_ARP_NOTIFY. The kernel sets it after everything else, so that going UP by the
  /// same change announces nothing yet: net/neigh.h.
  std::optional<bool> arp_notify = {};
  std::optional<std::string> alias = {};
};
void change_link(Batch&, const LinkRef&, const LinkChange&);
/// UP, if it isn't: a change of its own.
void bring_up(Netlink& links, const Link& link);
/// Another name; the link must be down (EBUSY before Linux 6.2). EEXIST: it is taken.
void rename_link(Batch&, const LinkRef&, const std::string& new_name);
/// Into another namespace under `new_name` and with `alias`, all in one message. The kernel sets
/// the link down and takes its addresses; the ifindex stays unless it is taken there, or is
/// `new_index` if that isn't 0 (EBUSY: taken; ignored before Linux 5.13). EEXIST: the name is taken
/// there; before Linux 6.3 the link may have moved then (do_setlink: the old name was free there).
/// EINVAL: a link that can't leave (lo, a bridge). `to` must outlive commit().
void move_link(Batch&, const LinkRef&, const Netns& to, const std::string& new_name,
               const std::string& alias, int new_index = 0);

/// Makes what the kernel knows of a link's carrier count at once: a port whose other end has just
/// gone UP forwards when this returns, instead of when the kernel's worker gets to it. A link that
/// is gone is fine. (ethtool's ETHTOOL_GLINK: ethtool_op_get_link() calls linkwatch_sync_dev().)
void sync_carrier(Netlink&, const std::string& name);

/// Makes a link a port of `master`, a bridge or a VRF; its index 0: of none any more, and `name`
/// the one that it leaves. A VRF sets an UP link down and up again (cycle_netdev()), which costs it
/// all its routes but those of its subnets, and its IPv6 addresses unless keep_addr_on_down is set.
void set_master(Batch&, const LinkRef&, const LinkRef& master);

}  // namespace unicni::net
