#include "unicni/ipam/range.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "unicni/error.h"

namespace unicni::ipam {

namespace {

constexpr Option kRangeRows[] = {
    option<&RangeConfig::subnet>("subnet", "subnet to allocate addresses from, without host bits")
        .must_be_given(),
    option<&RangeConfig::range_start>("rangeStart",
                                      "first address to allocate; default: network address + 1, in "
                                      "a /31, /32, /127 or /128 the subnet's first address"),
    option<&RangeConfig::range_end>("rangeEnd",
                                    "last address to allocate; default: the subnet's last address, "
                                    "in IPv4 the one before the broadcast address"),
    option<&RangeConfig::gateway>("gateway",
                                  "gateway to return to containers; never allocated; default: "
                                  "network address + 1, in a /32 or /128 none"),
};

constexpr std::uint64_t kMany = std::numeric_limits<std::uint64_t>::max();

std::uint64_t big_endian(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8U | bytes[i];
  return value;
}

// Addresses from first to last, both counted; kMany if that is more than fits.
std::uint64_t width(const IpAddress& first, const IpAddress& last) {
  if (last < first) return 0;
  if (first.is_v4()) return std::uint64_t{last.to_v4()} - first.to_v4() + 1;
  const std::uint64_t low_last = big_endian(last.data() + 8);
  const std::uint64_t low_first = big_endian(first.data() + 8);
  const std::uint64_t high = big_endian(last.data()) - big_endian(first.data());
  if (high > 1 || (high == 1 && low_last >= low_first)) return kMany;
  const std::uint64_t difference = low_last - low_first;
  return difference == kMany ? kMany : difference + 1;
}

/// How many bits of an address tell hosts apart: 0 for a /32 or /128, 1 for a /31 or /127.
int host_bits(const IpNet& subnet) { return subnet.address().bits() - subnet.prefix_length(); }

/// In a subnet of two addresses the gateway takes the one that the range leaves, as one end of the
/// link is the container.
std::optional<IpAddress> default_gateway(const Range& range) {
  if (host_bits(range.subnet) == 0) return std::nullopt;
  const IpAddress second = range.subnet.address().plus(1).value();
  const bool is_taken = host_bits(range.subnet) == 1 && range.start == second;
  return is_taken ? range.subnet.address() : second;
}

std::string describe(const Range& range) { return range.start.str() + '-' + range.end.str(); }

RangeSet canonical_set(const std::vector<RangeConfig>& configs) {
  if (configs.empty()) {
    throw Error(Code::invalid_config, "empty range set",
                "every list in \"ranges\" needs at least one {\"subnet\": …}");
  }
  RangeSet set;
  set.reserve(configs.size());
  for (const RangeConfig& config : configs) {
    set.push_back(canonical(config));
    if (set.back().start.family() != set.front().start.family()) {
      throw Error(
          Code::invalid_config, "mixed address families",
          fmt::format("{} and {} are in one set, which gives one address: put them into two sets",
                      set.front().subnet.str(), set.back().subnet.str()));
    }
  }
  // Overlapping ranges of one set would offer an address twice, and the walk after the cursor would
  // not end where it began.
  for (auto first = set.begin(); first != set.end(); ++first) {
    for (auto second = first + 1; second != set.end(); ++second) {
      if (first->overlaps(*second)) {
        throw Error(Code::invalid_config,
                    fmt::format("subnets {} and {} overlap", describe(*first), describe(*second)),
                    "limit them with rangeStart and rangeEnd, or remove one");
      }
    }
  }
  return set;
}

bool overlap(const RangeSet& left, const RangeSet& right) {
  return std::any_of(left.begin(), left.end(), [&](const Range& range) {
    return std::any_of(right.begin(), right.end(),
                       [&](const Range& other) { return range.overlaps(other); });
  });
}

}  // namespace

constinit const OptionTable kRangeFields = option_table<RangeConfig>(kRangeRows);

bool Range::overlaps(const Range& other) const {
  return start.family() == other.start.family() && start <= other.end && other.start <= end;
}

/// A /31 has no broadcast address (RFC 3021), and IPv6 has none at all.
Interval usable(const IpNet& subnet) {
  if (!subnet.is_v4() || host_bits(subnet) < 2) return {subnet.network(), subnet.last()};
  return {subnet.network().plus(1).value(), subnet.last().plus(-1).value()};
}

/// Messages are the reference's, whose texts tools compare. The order of the checks is the
/// reference's too, so a configuration with two mistakes gets the same error.
Range canonical(const RangeConfig& config) {
  if (!config.subnet) {
    throw Error(Code::invalid_config, "IP <nil> not v4 nor v6",
                "a range needs a \"subnet\", such as \"10.1.2.0/24\"");
  }
  const IpNet& subnet = *config.subnet;
  if (subnet.address() != subnet.network()) {
    throw Error(
        Code::invalid_config,
        fmt::format(
            "Network has host bits set. For a subnet mask of length {} the network address is {}",
            subnet.prefix_length(), subnet.network().str()),
        fmt::format("\"subnet\" is {}: write {}", subnet.str(), subnet.masked().str()));
  }

  const Interval hosts = usable(subnet);
  // In IPv6 the first is the routers' anycast address, which the reference leaves out as well.
  const IpAddress first = host_bits(subnet) < 2 ? hosts.first : subnet.address().plus(1).value();
  Range range{subnet, config.range_start.value_or(first), config.range_end.value_or(hosts.last),
              config.gateway};

  const auto refuse = [&](const char* what, const IpAddress& address) {
    throw Error(
        Code::invalid_config,
        fmt::format("{} {} not in network {}", what, address.str(), subnet.str()),
        fmt::format("choose an address from {}-{}, and a rangeStart that is not after rangeEnd {}",
                    subnet.address().str(), subnet.last().str(), range.end.str()));
  };
  const bool backward = range.end < range.start;
  if (!subnet.contains(range.start) || (config.range_start && backward))
    refuse("RangeStart", range.start);
  if (!subnet.contains(range.end) || backward) refuse("RangeEnd", range.end);
  // From here on start and end are moved to addresses that hosts can have; the message shows them
  // as they were written.
  const std::string written = describe(range);
  range.start = std::max(range.start, hosts.first);
  range.end = std::min(range.end, hosts.last);
  if (range.end < range.start) {
    throw Error(Code::invalid_config,
                fmt::format("range {} of {} has no address for a container", written, subnet.str()),
                fmt::format("choose rangeStart and rangeEnd from {}-{}: network and broadcast "
                            "addresses are never allocated",
                            hosts.first.str(), hosts.last.str()));
  }
  if (!range.gateway) range.gateway = default_gateway(range);
  if (range.gateway && range.gateway->family() != subnet.address().family()) {
    throw Error(
        Code::invalid_config,
        fmt::format("gateway {} is of another family than {}", range.gateway->str(), subnet.str()),
        "give the subnet a gateway of its own family");
  }
  return range;
}

/// The number of the set is part of the message: a configuration may have several, and the flat
/// range is one of them.
std::vector<RangeSet> canonical_sets(const std::vector<std::vector<RangeConfig>>& sets) {
  std::vector<RangeSet> result;
  result.reserve(sets.size());
  for (std::size_t i = 0; i < sets.size(); ++i) {
    try {
      result.push_back(canonical_set(sets[i]));
    } catch (const Error& error) {
      throw Error(error.code(), fmt::format("invalid range set {}: {}", i, error.msg()),
                  error.details());
    }
  }
  for (std::size_t i = 0; i < result.size(); ++i) {
    for (std::size_t j = i + 1; j < result.size(); ++j) {
      if (overlap(result[i], result[j])) {
        throw Error(Code::invalid_config, fmt::format("range set {} overlaps with {}", i, j),
                    fmt::format("{} and {}; one address is given per set, so sets must be disjoint",
                                describe(result[i]), describe(result[j])));
      }
    }
  }
  return result;
}

std::string describe(const RangeSet& set) {
  std::string text;
  for (const Range& range : set) {
    if (!text.empty()) text += ',';
    text += describe(range);
  }
  return text;
}

/// Counts only; the numbers of an IPv6 subnet may be larger than 64 bits and stop at the largest
/// one.
std::uint64_t capacity(const RangeSet& set, const Intervals& excluded) {
  std::uint64_t sum = 0;
  for (const Range& range : set) {
    std::uint64_t count = width(range.start, range.end);
    if (count != kMany) {
      for (const Interval& each : excluded) {
        if (each.first.family() != range.start.family()) continue;
        count -= width(std::max(each.first, range.start), std::min(each.last, range.end));
      }
      const bool gateway_counts = range.gateway && range.contains(*range.gateway) &&
                                  find_interval(excluded, *range.gateway) == nullptr;
      count -= gateway_counts ? 1 : 0;
    }
    sum = count > kMany - sum ? kMany : sum + count;
  }
  return sum;
}

}  // namespace unicni::ipam
