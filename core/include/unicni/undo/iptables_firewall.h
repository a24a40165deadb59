// Undo record "iptables-firewall".
#pragma once

#include "unicni/attachments.h"
#include "unicni/ip.h"
#include "unicni/netfilter/iptables_firewall.h"
#include "unicni/undo.h"

namespace unicni {

/// What add_iptables_firewall() makes; undone by remove_iptables_firewall() unless an address is
/// another attachment's by then.
Undo undo_iptables_firewall(const net::IptablesFirewall& firewall);
/// Whether an address is another attachment's than `owner`'s: by a reservation in host-local's
/// default folder, of whatever network, or by the record of one that has rules of iptables for it.
/// For rules that name nobody but the address. False where that can't be known.
[[nodiscard]] bool is_anothers(Attachments& attachments, const Attachment& owner,
                               const IpAddress& address);

}  // namespace unicni
