// What the journals of this host's attachments say of our nftables elements.
#pragma once

#include <vector>

#include "journal/journal.h"
#include "unicni/net/nft.h"

namespace unicni::chain {

/// The elements of all attachments of `place`, and those that their networks share.
net::NftMemory remembered_rules(const journal::Place& place);

}  // namespace unicni::chain
