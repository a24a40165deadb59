// Ranges of addresses as host-local configures them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unicni/ip.h"
#include "unicni/ipam/interval.h"
#include "unicni/options.h"

namespace unicni::ipam {

/// One range as written in the netconf; canonical() fills in what is missing.
struct RangeConfig {
  std::optional<IpNet> subnet;
  std::optional<IpAddress> range_start;
  std::optional<IpAddress> range_end;
  std::optional<IpAddress> gateway;
};

struct Range {
  IpNet subnet;     ///< network address and prefix
  IpAddress start;  ///< first and last address that may be handed out: usable ones of the subnet
  IpAddress end;
  std::optional<IpAddress> gateway;  ///< never handed out; need not be inside the subnet
  [[nodiscard]] bool contains(const IpAddress& address) const {
    return start <= address && address <= end;
  }
  [[nodiscard]] bool overlaps(const Range& other) const;
  friend bool operator==(const Range&, const Range&) = default;
};

/// One address is given per set; all ranges of a set are of one family and don't overlap.
using RangeSet = std::vector<Range>;

/// The first and the last address that a host of the subnet can have: in IPv4 all but network and
/// broadcast address; both of a /31 or /127 (RFC 3021, RFC 6164), the one of a /32 or /128.
Interval usable(const IpNet& subnet);

/// Defaults: gateway and start network+1, end the last usable address. Start and end are moved to
/// usable ones. In a subnet of two addresses each of them may be start and end, and the gateway is
/// the second, or the first if a range of one address has the second; in one of a single address
/// there is no gateway unless it is given.
/// Error(invalid_config) with the reference's reasons: host bits, start or end outside, mixed
/// families …, for a gateway of the other family, and for a range without a usable address.
Range canonical(const RangeConfig& config);
std::vector<RangeSet> canonical_sets(const std::vector<std::vector<RangeConfig>>& sets);
std::string describe(const RangeSet& set);  ///< "10.1.2.1-10.1.2.6,…"
/// How many addresses the set can hand out at most (gateways and `excluded` don't count); stops at
/// the largest number.
std::uint64_t capacity(const RangeSet& set, const Intervals& excluded = {});

extern const OptionTable kRangeFields;  ///< rows of RangeConfig

}  // namespace unicni::ipam

namespace unicni {
template <>
struct OptionFields<ipam::RangeConfig> {
  static constexpr const OptionTable* table() { return &ipam::kRangeFields; }
};
}  // namespace unicni
