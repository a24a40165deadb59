// Published ports that the Go reference plugins made for an attachment: reference_rules.h.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/deadline.h"
#include "unicni/ip.h"
#include "unicni/netfilter/nft.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::net {

/// Whose published ports.
struct ReferencePorts {
  /// Without if_name: all but the chains that add_iptables_ports() names after the interface.
  AttachmentKey key;
  std::vector<IpAddress> addresses;  ///< of the attachment
  bool container_is_gone = false;    ///< so none of its attachments needs a rule
  /// Asked if there is a chain of the reference's name: another attachment has it, of the container
  /// to the network, or one whose network and container have the same hash.
  std::function<bool()> is_taken = {};
};

/// Removes what portmap of the reference, or add_iptables_ports(), made:
/// - iptables: remove_iptables_ports() of iptables_ports_removal.h. The names of its chains hold
///   network and container, and all ports of a container on a network go together, as they came.
/// - nftables: in tables `ip cni_hostport` and `ip6 cni_hostport` the rules whose comment is the
///   container. That says nothing of the network: of a container with ports on several networks
///   only the rules that lead to `addresses` go, and with `container_is_gone` all. With neither
///   nothing does. A table in which no rule of a container is left goes; the reference's ADD makes
///   it in one transaction.
/// Where there is nothing that is two netlink round trips and a look at two files of /proc. Returns
/// how many rules went. Throws Error; goes on past errors.
std::size_t remove_reference_ports(Nft& nft, const ReferencePorts& what, Deadline deadline);

/// CHECK: whether portmap of the reference publishes all of `ports` for the container with its
/// backend nftables: reached from "prerouting", each in `hostports` with its address of the host
/// and what it leads to, and, of those with "snat", the rules in `masquerading`. Where its tables
/// are missing that is one round trip. Throws Error.
bool has_reference_nft_ports(Nft& nft, const std::string& container_id,
                             const std::vector<PublishedPort>& ports);

}  // namespace unicni::net
