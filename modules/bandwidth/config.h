// What bandwidth can be told.
#pragma once

#include <cstdint>
#include <optional>

#include "unicni/options.h"

namespace unicni::bandwidth {

/// Bits, and bits a second; ingress is towards the container.
struct Limits {
  std::optional<std::int64_t> ingress_rate;
  std::optional<std::int64_t> ingress_burst;
  std::optional<std::int64_t> egress_rate;
  std::optional<std::int64_t> egress_burst;
};

struct BandwidthOptions {
  std::optional<std::int64_t> ingress_rate;
  std::optional<std::int64_t> ingress_burst;
  std::optional<std::int64_t> egress_rate;
  std::optional<std::int64_t> egress_burst;
  std::optional<Limits> runtime;  ///< runtimeConfig.bandwidth
};

/// Limit of one direction.
struct Limit {
  std::uint64_t rate = 0;   ///< bit/s
  std::uint64_t burst = 0;  ///< bits; 0: not given, default_burst()
  friend bool operator==(const Limit&, const Limit&) = default;
};
struct Directions {
  std::optional<Limit> ingress;
  std::optional<Limit> egress;
};

extern const OptionTable kLimitsFields;
extern const OptionTable kBandwidthOptions;

/// What is to be limited. Any of the four keys in the configuration, with 0 too, makes it the only
/// source; else it is runtimeConfig's. Throws Error(invalid_config): a burst without rate, a rate
/// below a byte a second, a burst beyond 4 GB.
Directions directions(const BandwidthOptions& options);

/// The burst in bits of a rate (bit/s) that came without one: what the rate gives in 0.1 s, at
/// least 10 packets of `mtu` bytes, at most 2^31 - 1 bytes.
std::uint64_t default_burst(std::uint64_t rate, std::uint32_t mtu);

}  // namespace unicni::bandwidth

namespace unicni {
template <>
struct OptionFields<bandwidth::Limits> {
  static constexpr const OptionTable* table() { return &bandwidth::kLimitsFields; }
};
}  // namespace unicni
