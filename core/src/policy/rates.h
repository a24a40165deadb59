// The rates of an attachment: what its members of type bandwidth limit it to (modules/bandwidth,
// and the reference's plugin, which is configured alike).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "policy/fields.h"
#include "policy/member.h"
#include "policy/policy.h"

namespace unicni::policy {

/// egressRate, ingressRate: what a limit on the attachment is called.
bool is_rate(std::string_view key);
/// One of the four keys of a plugin of type bandwidth.
bool is_rate_key(std::string_view type, std::string_view key);

/// egressBurst, ingressBurst.
bool is_burst(std::string_view key);
/// The burst in bits that a plugin of type bandwidth gives a rate that has none: what the rate
/// gives in 0.1 s, at least ten packets, of an MTU of 1500. nullopt: the burst is given, or no rate
/// is.
std::optional<std::int64_t> default_burst(const Fields& config, std::string_view burst);

/// bandwidth passes over what the runtime says (a pod's annotations) as soon as the configuration
/// has one of the four keys. Before a rule writes one, the runtime's are put beside it.
void take_runtime_rates(Fields& config);
/// A rate that comes with a default for its burst brings that: where the rate is given, so is its
/// burst, if only as bandwidth's own default.
bool is_silenced(const std::vector<Value>& defaults, const Fields& config, std::string_view key);
/// An overridden rate without a burst gets bandwidth's, not that of the rate before.
void drop_burst(const std::vector<Value>& overrides, Fields& config, std::string_view key);

/// A link has one limit a direction, and a second one fails: of members that a rule added and such
/// that were there, the lowest rate stays, and the others get none.
void keep_lowest_rates(std::span<Member> members);

/// Throws unless the lowest rate of the direction, or none, is within the limit. An attachment
/// without traffic of its own (loopback, a chained plugin that is called alone) has none to limit.
void require_rate(const Rule& rule, const Limit& limit, std::span<const Member> members);

}  // namespace unicni::policy
