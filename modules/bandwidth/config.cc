#include "config.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "unicni/error.h"

namespace unicni::bandwidth {

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kBurstEnd = 4294967295;  // bytes
constexpr const char* kIngressRate = "rate limit in bit/s of traffic to the container; 0: no limit";
constexpr const char* kIngressBurst =
    "burst in bits of traffic to the container; 0 or absent: 0.1 s at ingressRate, at least 10 "
    "packets of the MTU";
constexpr const char* kEgressRate =
    "rate limit in bit/s of traffic from the container; 0: no limit";
constexpr const char* kEgressBurst =
    "burst in bits of traffic from the container; 0 or absent: 0.1 s at egressRate, at least 10 "
    "packets of the MTU";

constexpr Option kLimitsRows[] = {
    option<&Limits::ingress_rate>("ingressRate", kIngressRate).with_range(0, kMost),
    option<&Limits::ingress_burst>("ingressBurst", kIngressBurst).with_range(0, kMost),
    option<&Limits::egress_rate>("egressRate", kEgressRate).with_range(0, kMost),
    option<&Limits::egress_burst>("egressBurst", kEgressBurst).with_range(0, kMost),
};

constexpr Option kRows[] = {
    option<&BandwidthOptions::ingress_rate>("ingressRate", kIngressRate).with_range(0, kMost),
    option<&BandwidthOptions::ingress_burst>("ingressBurst", kIngressBurst).with_range(0, kMost),
    option<&BandwidthOptions::egress_rate>("egressRate", kEgressRate).with_range(0, kMost),
    option<&BandwidthOptions::egress_burst>("egressBurst", kEgressBurst).with_range(0, kMost),
    option<&BandwidthOptions::runtime>("bandwidth",
                                       "limits from the runtime (capability \"bandwidth\"); "
                                       "ignored if the configuration sets any of the four limits")
        .from(OptionSource::runtime_config),
};

std::optional<Limit> limit_of(const char* direction, std::optional<std::int64_t> rate,
                              std::optional<std::int64_t> burst) {
  const Limit limit{static_cast<std::uint64_t>(rate.value_or(0)),
                    static_cast<std::uint64_t>(burst.value_or(0))};
  const auto refuse = [&](const char* key, std::uint64_t value, const char* why,
                          const char* advice) {
    throw Error(Code::invalid_config, fmt::format("{}{} {}: {}", direction, key, value, why),
                advice);
  };
  if (limit.rate == 0 && limit.burst == 0) return std::nullopt;
  if (limit.rate == 0) {
    refuse("Burst", limit.burst, "if burst is set, rate must also be set",
           "set the rate of this direction as well, or remove the burst for no limit");
  }
  if (limit.rate < 8) {
    refuse("Rate", limit.rate, "is less than a byte a second",
           "rates are in bit/s: set at least 8, or 0 for no limit");
  }
  if (limit.burst != 0 && limit.burst < 8)
    refuse("Burst", limit.burst, "is less than a byte",
           "bursts are in bits: set 8 to 34359738359, or 0 for the default");
  if (limit.burst / 8 >= kBurstEnd) {
    refuse("Burst", limit.burst, "burst cannot be more than 4GB",
           "bursts are in bits: set 8 to 34359738359, or 0 for the default");
  }
  return limit;
}

}  // namespace

std::uint64_t default_burst(std::uint64_t rate, std::uint32_t mtu) {
  constexpr std::uint64_t kMostBytes = std::numeric_limits<std::int32_t>::max();
  constexpr std::uint64_t kPackets = 10;
  return std::min(std::max(rate / 8 / 10, kPackets * mtu), kMostBytes) * 8;
}

constinit const OptionTable kLimitsFields = option_table<Limits>(kLimitsRows);
constinit const OptionTable kBandwidthOptions = option_table<BandwidthOptions>(kRows);

Directions directions(const BandwidthOptions& options) {
  Limits limits{options.ingress_rate, options.ingress_burst, options.egress_rate,
                options.egress_burst};
  const bool own =
      limits.ingress_rate || limits.ingress_burst || limits.egress_rate || limits.egress_burst;
  if (!own) limits = options.runtime.value_or(Limits());
  return {limit_of("ingress", limits.ingress_rate, limits.ingress_burst),
          limit_of("egress", limits.egress_rate, limits.egress_burst)};
}

}  // namespace unicni::bandwidth
