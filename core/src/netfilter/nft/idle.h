// What attachments share in our tables goes with the last of them.
#pragma once

#include <vector>

#include "netfilter/nft/batch.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// Deletes what nothing needs when `going` are deleted, which the batch does before: elements about
/// interfaces that no attachment is behind any more. The generation of the ruleset guards the
/// batch.
void put_idle_removals(NetlinkSocket& socket, NftBatch& batch,
                       const std::vector<NftElement>& going);

}  // namespace unicni::net
