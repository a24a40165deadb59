#include "unicni/ipam/allocate.h"

#include <algorithm>

namespace unicni::ipam {

namespace {

/// The first address of [from, to] that `take` takes.
std::optional<IpAddress> take_from(const Range& range, IpAddress from, const IpAddress& to,
                                   const Intervals& excluded, const FindFree& find_free,
                                   const std::function<bool(const IpAddress&)>& take) {
  for (;;) {
    const std::optional<IpAddress> candidate = find_free(from, to);
    if (!candidate) return std::nullopt;
    const Interval* skipped = find_interval(excluded, *candidate);
    if (skipped == nullptr && *candidate != range.gateway && take(*candidate)) return candidate;
    const IpAddress& passed = skipped != nullptr ? skipped->last : *candidate;
    if (to <= passed) return std::nullopt;
    from = *passed.plus(1);
  }
}

}  // namespace

const Range* find_range(const RangeSet& set, const IpAddress& address) {
  const auto holder = std::find_if(set.begin(), set.end(),
                                   [&](const Range& range) { return range.contains(address); });
  return holder == set.end() ? nullptr : &*holder;
}

std::optional<std::pair<IpAddress, const Range*>> allocate(
    const RangeSet& set, const Intervals& excluded, const std::optional<IpAddress>& last,
    const FindFree& find_free, const std::function<bool(const IpAddress&)>& take) {
  const auto attempt =
      [&](const Range& range, const IpAddress& from,
          const IpAddress& to) -> std::optional<std::pair<IpAddress, const Range*>> {
    const auto got = take_from(range, from, to, excluded, find_free, take);
    if (!got) return std::nullopt;
    return std::pair{*got, &range};
  };

  // The search begins behind the last address that was given, so a released address rests while
  // others are free. That is the reference's order, and either program goes on where the other one
  // ended.
  const Range* holder = last ? find_range(set, *last) : nullptr;
  if (holder != nullptr && *last < holder->end) {
    if (auto got = attempt(*holder, *last->plus(1), holder->end)) return got;
  }
  const std::size_t begin =
      holder == nullptr ? 0 : static_cast<std::size_t>(holder - set.data()) + 1;
  const std::size_t others = holder == nullptr ? set.size() : set.size() - 1;
  for (std::size_t i = 0; i < others; ++i) {
    const Range& range = set[(begin + i) % set.size()];
    if (auto got = attempt(range, range.start, range.end)) return got;
  }
  // Round once: what lies before the cursor, the last address included.
  if (holder != nullptr) return attempt(*holder, holder->start, *last);
  return std::nullopt;
}

}  // namespace unicni::ipam
