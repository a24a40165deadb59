#include "unicni/ipam/interval.h"

#include <algorithm>

namespace unicni::ipam {

std::optional<Interval> parse_interval(std::string_view text) {
  if (text.find('/') != std::string_view::npos) {
    const std::optional<IpNet> net = IpNet::parse(text);
    if (!net) return std::nullopt;
    return Interval{net->network(), net->last()};
  }
  const std::size_t dash = text.find('-');
  const std::optional<IpAddress> first = IpAddress::parse(text.substr(0, dash));
  const std::optional<IpAddress> last =
      dash == std::string_view::npos ? first : IpAddress::parse(text.substr(dash + 1));
  if (!first || !last || first->family() != last->family() || *last < *first) return std::nullopt;
  return Interval{*first, *last};
}

/// Merged and sorted, so that a look-up is a binary search and counting need not beware of
/// overlaps.
Intervals merge(std::vector<Interval> intervals) {
  std::sort(intervals.begin(), intervals.end(),
            [](const Interval& a, const Interval& b) { return a.first < b.first; });
  Intervals result;
  for (const Interval& each : intervals) {
    const auto next = result.empty() ? std::nullopt : result.back().last.plus(1);
    // At the end of a family there is no next one, and nothing of that family comes after it.
    const bool touches = !result.empty() && result.back().last.family() == each.first.family() &&
                         (!next || each.first <= *next);
    if (touches) {
      result.back().last = std::max(result.back().last, each.last);
    } else {
      result.push_back(each);
    }
  }
  return result;
}

const Interval* find_interval(const Intervals& intervals, const IpAddress& address) {
  const auto after =
      std::upper_bound(intervals.begin(), intervals.end(), address,
                       [](const IpAddress& at, const Interval& each) { return at < each.first; });
  if (after == intervals.begin()) return nullptr;
  const Interval& candidate = *(after - 1);
  return address <= candidate.last ? &candidate : nullptr;
}

}  // namespace unicni::ipam
