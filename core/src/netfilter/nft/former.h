// Base 1 of table inet, which releases up to 0.1 made. Its sets net4 and net6 held "subnet .
// subnet" for all networks, and masq4, masq6 addresses whatever their subnet. Journals of
// attachments that those releases made, and a table that no ADD has replaced yet, are read in its
// terms.
#pragma once

#include <optional>
#include <vector>

#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// What the records of one step of a journal mean in this base: itself if base 2 wrote it.
std::vector<NftElement> from_former_base(const std::vector<NftElement>& of_step);
/// What stood for `element` in base 1; nullopt: nothing of the attachment's own.
std::optional<NftElement> in_former_base(const NftElement& element);

}  // namespace unicni::net
