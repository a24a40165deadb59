// What records say about our nftables ruleset, for who makes it again.
#pragma once

#include <optional>
#include <vector>

#include "unicni/errors.h"
#include "unicni/netfilter/nft.h"
#include "unicni/undo.h"

namespace unicni::undo {

/// The element of a record "nft" or "nft-network". Throws Error.
net::NftElement element_of(const Undo& record);
/// The elements that records of one step are about, as this version has them; what is damaged, or
/// of a newer version, says nothing.
std::vector<net::NftElement> find_elements(const std::vector<Undo>& records);
/// Those that undoing takes away: of records "nft", as they stand, and under the names of today if
/// an older version wrote them. `step`: all records of the step, as those of its network tell the
/// subnets of its addresses. A damaged record goes to `damaged` and keeps none of the others.
std::vector<net::NftElement> find_own_elements(const std::vector<Undo>& step, Errors& damaged);
/// The condition that a record is about; nullopt: it is about something else.
std::optional<net::NftCondition> find_condition(const Undo& record);

}  // namespace unicni::undo
