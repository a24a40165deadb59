// Which address of a set comes next.
#pragma once

#include <functional>
#include <optional>
#include <utility>

#include "unicni/ipam/interval.h"
#include "unicni/ipam/range.h"

namespace unicni::ipam {

/// The first address of [from, to] that may be free; nullopt: none.
using FindFree =
    std::function<std::optional<IpAddress>(const IpAddress& from, const IpAddress& to)>;

/// The reference's walk: after the last reserved address, range by range, round once; skips
/// gateways and what is excluded. `take` returns true when it got the address. nullopt: exhausted.
std::optional<std::pair<IpAddress, const Range*>> allocate(
    const RangeSet& set, const Intervals& excluded, const std::optional<IpAddress>& last,
    const FindFree& find_free, const std::function<bool(const IpAddress&)>& take);

/// The range that holds `address`; nullptr: none.
const Range* find_range(const RangeSet& set, const IpAddress& address);

}  // namespace unicni::ipam
