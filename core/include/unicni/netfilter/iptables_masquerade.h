// "ipMasqBackend": "iptables": the reference's own chain and rules, through iptables-restore(8).
#pragma once

#include <string>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/deadline.h"
#include "unicni/ip.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

struct IptablesMasquerade {
  AttachmentKey key;
  std::vector<IpNet> addresses;  ///< with the prefix length of their subnets, IPv4 and IPv6
};

/// In table nat of each address's family, for each address what isn't there yet:
///   -A CNI-<24 hex digits> -d <address>/<prefix> -j ACCEPT
///   -A CNI-<24 hex digits> ! -d 224.0.0.0/4 -j MASQUERADE      (IPv6: ff00::/8)
///   -A POSTROUTING -s <address> -j CNI-<24 hex digits>
/// all with the comment `name: "<network>" id: "<container>"`: what the reference makes, so that
/// its DEL finds it, and tools that look for its names do. One `iptables-restore --noflush` for
/// each family, which is atomic, and one `iptables-save -t nat` before it only if the chain exists
/// (a second attachment of the container to the network, or a repeated ADD). Announce
/// undo_iptables_masquerade() (undo.h) before. Works in the calling thread's namespace, which must
/// be the one of `nft`. Throws Error: also if iptables isn't installed, naming the package and the
/// alternative.
void add_iptables_masquerade(Nft& nft, const IptablesMasquerade& what, Deadline deadline);

/// CHECK: for each address the jump is there and the chain has its two rules, made with either
/// flavour of iptables (nft, legacy). No process unless the legacy table has the chain.
bool has_iptables_masquerade(Nft& nft, const IptablesMasquerade& what, Deadline deadline);

// The removal is remove_reference_masquerade() of reference_rules.h.

}  // namespace unicni::net
