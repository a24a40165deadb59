#include <algorithm>

#include "unicni/ipam/store.h"

namespace unicni::ipam {

std::optional<std::pair<IpAddress, const Range*>> allocate(
    const RangeSet& set, const std::optional<IpAddress>& last,
    const std::function<bool(const IpAddress&)>& try_reserve) {
  if (set.empty()) return std::nullopt;
  auto range = set.begin();
  IpAddress candidate = range->start;
  const auto advance = [&] {
    if (candidate == range->end) {
      if (++range == set.end()) range = set.begin();
      candidate = range->start;
    } else {
      candidate = candidate.plus(1).value();  // before the end, so there is a next one
    }
  };

  if (last) {
    const auto holder = std::find_if(set.begin(), set.end(),
                                     [&](const Range& each) { return each.contains(*last); });
    if (holder != set.end()) {
      range = holder;
      candidate = *last;
      advance();
    }
  }

  const IpAddress first = candidate;
  do {
    if (candidate != range->gateway && try_reserve(candidate)) return std::pair{candidate, &*range};
    advance();
  } while (candidate != first);
  return std::nullopt;
}

}  // namespace unicni::ipam
