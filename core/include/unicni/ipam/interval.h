// Runs of addresses that host-local never hands out by itself.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "unicni/ip.h"

namespace unicni::ipam {

struct Interval {
  IpAddress first;
  IpAddress last;  ///< of the same family, not before first
  friend bool operator==(const Interval&, const Interval&) = default;
};

/// In order, none touching another.
using Intervals = std::vector<Interval>;

/// "10.1.2.3", "10.1.2.0/28" (host bits don't count) or "10.1.2.3-10.1.2.9".
std::optional<Interval> parse_interval(std::string_view text);
Intervals merge(std::vector<Interval> intervals);
/// The one that holds `address`; nullptr: none.
const Interval* find_interval(const Intervals& intervals, const IpAddress& address);

}  // namespace unicni::ipam
