// Undo record "iptables-ports".
#pragma once

#include <optional>
#include <string>

#include "unicni/attachments.h"
#include "unicni/netfilter/iptables_ports.h"
#include "unicni/undo.h"

namespace unicni {

/// What add_iptables_ports() makes; undone by remove_iptables_ports(), unless another attachment of
/// the container has the chain by then.
Undo undo_iptables_ports(const net::IptablesPorts& ports);
/// Whether another attachment of the container to the same network, which isn't gone, has the chain
/// that is named after both (netfilter/iptables_ports.h).
[[nodiscard]] bool has_iptables_ports_of_sibling(Attachments& attachments,
                                                 const AttachmentKey& key);
/// Whether all whose ports that chain has, by the journals of whatever container, are gone.
/// nullopt: no journal has the chain. Reads all journals.
[[nodiscard]] std::optional<bool> is_iptables_ports_chain_void(Attachments& attachments,
                                                               const std::string& chain);

}  // namespace unicni
