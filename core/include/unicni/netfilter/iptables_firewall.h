// firewall's "backend": "iptables": the reference's own chains and rules of table filter, through
// iptables-restore(8).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/deadline.h"
#include "unicni/ip.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

struct IptablesFirewall {
  AttachmentKey key;
  std::vector<IpAddress> addresses;  ///< IPv4 and IPv6
  std::string admin_chain = "CNI-ADMIN";
  std::optional<IngressPolicy> policy;  ///< nullopt: open
  std::string bridge;                   ///< with a policy: the host's side of the attachment
};

/// What isn't there yet, in each family that has an address:
///   -A FORWARD -j CNI-FORWARD             first
///   -A CNI-FORWARD -j <admin_chain>       first; that chain is made empty and never filled
///   -A CNI-FORWARD -d <address> -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
///   -A CNI-FORWARD -s <address> -j ACCEPT
/// and with a policy FORWARD's jump to CNI-ISOLATION-STAGE-1, before the other one, and in
/// CNI-ISOLATION-STAGE-1 and -2 the rules of the bridge. Names, comments and order are the
/// reference's, so that its CHECK and DEL, and tools that look for them, find them. One
/// `iptables-restore --noflush` a family, and one `iptables-save -t filter` before it unless
/// CNI-FORWARD is missing. Announce undo_iptables_firewall() (undo.h) before. Works in the calling
/// thread's namespace, which must be the one of `nft`. Throws Error.
void add_iptables_firewall(Nft& nft, const IptablesFirewall& what, Deadline deadline);

/// CHECK: what is missing, as a sentence; nullopt: all of it is there, made with either flavour of
/// iptables. One process a family.
std::optional<std::string> find_iptables_firewall_fault(Nft& nft, const IptablesFirewall& what,
                                                        Deadline deadline);

}  // namespace unicni::net
