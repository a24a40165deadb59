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
  IpAddress start;  ///< first and last address that may be handed out, both inside the subnet
  IpAddress end;
  IpAddress gateway;  ///< never handed out; need not be inside the subnet
  [[nodiscard]] bool contains(const IpAddress& address) const {
    return start <= address && address <= end;
  }
  [[nodiscard]] bool overlaps(const Range& other) const;
  friend bool operator==(const Range&, const Range&) = default;
};

/// One address is given per set; all ranges of a set are of one family and don't overlap.
using RangeSet = std::vector<Range>;

/// Defaults: gateway and start network+1, end the last address (IPv4: minus the broadcast address).
/// Error(invalid_config) with the reference's reasons: prefix longer than /30 or /126, host bits,
/// start or end outside, mixed families …
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
