// What records say about our nftables ruleset, for who makes it again.
#pragma once

#include <optional>
#include <vector>

#include "unicni/netfilter/nft.h"
#include "unicni/undo.h"

namespace unicni::undo {

/// The element of a record "nft" or "nft-network". Throws Error.
net::NftElement element_of(const Undo& record);
/// The elements that records of one step are about, as this version has them; what is damaged, or
/// of a newer version, says nothing.
std::vector<net::NftElement> find_elements(const std::vector<Undo>& records);
/// The condition that a record is about; nullopt: it is about something else.
std::optional<net::NftCondition> find_condition(const Undo& record);

}  // namespace unicni::undo
