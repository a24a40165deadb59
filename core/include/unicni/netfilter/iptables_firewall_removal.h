// Taking away what firewall's "backend": "iptables" made, of us or of the reference.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "unicni/deadline.h"
#include "unicni/ip.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// Whether an address is another attachment's by now.
using IsAnothers = std::function<bool(const IpAddress&)>;

/// Removes the rules of `addresses` from CNI-FORWARD, made by us or by the reference, with
/// iptables-nft (through netlink, no process) or -legacy. They name nobody, so `is_anothers` is
/// asked of every address that has rules, and what it says yes of stays. With the last rule of
/// anybody's address in a family the chains and jumps that attachments share go as well, but an
/// administrator's chain that has rules. Where there are none it is one netlink round trip and a
/// look at two files of /proc; never lists a ruleset, never makes a table. Returns how many rules
/// of addresses went. Throws Error; goes on past errors.
std::size_t remove_iptables_firewall(Nft& nft, const std::vector<IpAddress>& addresses,
                                     const std::string& admin_chain, const IsAnothers& is_anothers,
                                     Deadline deadline);

}  // namespace unicni::net
