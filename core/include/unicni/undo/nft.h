// Undo records "nft" and "nft-network".
#pragma once

#include <vector>

#include "unicni/netfilter/nft.h"
#include "unicni/undo.h"

namespace unicni {

/// An element of our nftables sets, removed if the owner matches.
Undo undo_nft(const net::NftElement& element);
/// An element that a network shares. Never undone; remembered so that a ruleset that was flushed
/// can be made again.
Undo remember_nft(const net::NftElement& element);

}  // namespace unicni
