// Undo record "nft-condition".
#pragma once

#include <string>

#include "unicni/netfilter/nft.h"
#include "unicni/undo.h"

namespace unicni {

/// The chain of a condition. Undone by deleting it, after its elements; it also remembers the text.
Undo undo_nft_condition(const net::NftCondition& condition);

}  // namespace unicni
