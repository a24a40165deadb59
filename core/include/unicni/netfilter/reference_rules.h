// Rules that the Go reference plugins made for an attachment, found by computed names: a node can
// be upgraded under running containers, and our DEL takes their rules along. Never lists a ruleset,
// never makes a table, never touches a rule that isn't of this attachment; tables and chains that
// attachments share stay, as with the reference.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/deadline.h"
#include "unicni/ip.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// Whose masquerade.
struct ReferenceMasquerade {
  AttachmentKey key;
  /// The attachment's addresses, from prevResult, the journal or the interface.
  std::vector<IpAddress> addresses;
  /// The container's namespace is gone, so none of its attachments needs a rule any more.
  bool container_is_gone = false;
};

/// Removes what bridge and ptp of the reference, or add_iptables_masquerade(), made for "ipMasq":
/// - iptables (nft and legacy, each if it has our chain): the chain `CNI-<24 hex digits>` of table
///   nat and the jumps to it in POSTROUTING. Its name is made of network and container, without the
///   interface: a container that is on the network twice has both attachments in one chain.
///   So only jumps from `addresses` go, and the chain only with the last jump; with
///   `container_is_gone` all jumps go. With neither, nothing does: better a rule too many (whose
///   chain nobody but this container can use) than a living attachment without its own.
///   The chain's name holds the container, so a late DEL never hurts an address's next owner.
/// - nftables: the rules of chain `inet cni_plugins_masquerade masq_checks` whose comment names
///   network, interface and container. Addresses don't matter.
///
/// Where there is nothing (the common case) that is one netlink round trip and a look at two files
/// of /proc, about 20 us. iptables-legacy costs two processes if its table has the chain, and some
/// 100 us (more with thousands of rules) if it doesn't; nothing where nobody uses legacy.
///
/// Works in the calling thread's namespace, which must be the one of `nft`; nft's destructor waits
/// for the kernel's grace period afterwards if something went. Returns how many rules (jumps and
/// nftables rules) went. Throws Error; what went before the error stays gone.
std::size_t remove_reference_masquerade(Nft& nft, const ReferenceMasquerade& what,
                                        Deadline deadline);

/// Removes what bridge of the reference made for "macspoofchk": in table `bridge nat` the chains
/// `cni-br-iface-<container>-<ifname>` and `…-mac`, and the jumps to them in PREROUTING. One round
/// trip, 5 to 10 us, where there is nothing. Returns how many jumps went. Throws Error.
std::size_t remove_reference_spoof_check(Nft& nft, const std::string& container_id,
                                         const std::string& if_name);

/// Whether both chains are there and lead somewhere: a node that was upgraded under running
/// containers. One round trip.
bool has_reference_spoof_check(Nft& nft, const std::string& container_id,
                               const std::string& if_name);

// What portmap of the reference made: reference_ports.h. Firewall's goes by
// remove_iptables_firewall() of iptables_firewall_removal.h.

}  // namespace unicni::net
