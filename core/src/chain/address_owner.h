// Whose is an address? For rules that name nothing else.
#pragma once

#include "journal/journal.h"
#include "unicni/ip.h"
#include "unicni/result.h"

namespace unicni::chain {

/// Whether it is another attachment's than `owner`'s. A reservation says it, in host-local's
/// default folder, of whatever network; if there is none, the journal of another attachment that
/// has rules of iptables for the address.
bool is_anothers(const Attachment& owner, const IpAddress& address, const journal::Place& place);

}  // namespace unicni::chain
