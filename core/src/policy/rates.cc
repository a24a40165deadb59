#include "policy/rates.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "policy/number.h"
#include "protocol/document.h"
#include "unicni/error.h"

namespace unicni::policy {
namespace {

constexpr std::string_view kType = "bandwidth";
constexpr std::array<std::string_view, 2> kRates = {"ingressRate", "egressRate"};
constexpr std::array<std::string_view, 2> kBursts = {"ingressBurst", "egressBurst"};

/// Higher than every rate.
constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

bool has_own_rates(const Fields& config) {
  const auto has = [&](std::string_view key) { return config.find(key) != nullptr; };
  return std::any_of(kRates.begin(), kRates.end(), has) ||
         std::any_of(kBursts.begin(), kBursts.end(), has);
}

/// The direction of a rate or a burst.
std::optional<std::size_t> direction_of(std::string_view key) {
  for (std::size_t i = 0; i < kRates.size(); ++i) {
    if (protocol::same_letters(key, kRates[i]) || protocol::same_letters(key, kBursts[i])) return i;
  }
  return std::nullopt;
}

bool has_value(const std::vector<Value>& values, std::string_view key) {
  return std::any_of(values.begin(), values.end(),
                     [&](const Value& value) { return protocol::same_letters(value.key, key); });
}

/// Where the four keys count.
Fields limits_of(const Fields& config) {
  return has_own_rates(config) ? config : config.section("runtimeConfig").section("bandwidth");
}

/// What the plugin is limited to. Of several spellings the one that limits least: which of them
/// counts, programs don't agree on. Our module takes a null in the right one for no rate.
std::int64_t rate_of(const Fields& config, std::string_view key) {
  const Fields limits = limits_of(config);
  std::int64_t rate = 0;
  if (limits.find(key) == nullptr) return kUnlimited;
  for (const std::string_view json : limits.find_all(key)) {
    const std::int64_t each = whole_number(json).value_or(kUnlimited);
    rate = std::max(rate, each <= 0 ? kUnlimited : each);
  }
  return rate == 0 ? kUnlimited : rate;
}

bool is_bandwidth(const Member& member) { return member.plugin.resolved == kType; }

bool is_added(const Member& member) {
  return std::any_of(member.changes.begin(), member.changes.end(),
                     [](const Change& change) { return change.effect == Effect::added; });
}

void give_no_rate(Member& member, std::size_t direction, const Member& because) {
  Fields config(member.config);
  take_runtime_rates(config);
  config.set(kRates[direction], "0");
  config.remove(kBursts[direction]);
  member.config = config.str();
  const Change& added = because.changes.front();
  member.changes.push_back({Effect::lowered, member.plugin.resolved, std::string(kRates[direction]),
                            "0", added.rule, added.place});
}

}  // namespace

bool is_rate(std::string_view key) {
  return std::find(kRates.begin(), kRates.end(), key) != kRates.end();
}

bool is_rate_key(std::string_view type, std::string_view key) {
  return type == kType && direction_of(key).has_value();
}

bool is_burst(std::string_view key) {
  return std::any_of(kBursts.begin(), kBursts.end(),
                     [&](std::string_view burst) { return protocol::same_letters(key, burst); });
}

std::optional<std::int64_t> default_burst(const Fields& config, std::string_view burst) {
  constexpr std::int64_t kTenPackets = 10 * 1500 * 8;
  constexpr std::int64_t kMost = std::int64_t{std::numeric_limits<std::int32_t>::max()} * 8;
  const Fields limits = limits_of(config);
  const std::string* const given = limits.find(burst);
  if (given != nullptr && whole_number(*given) != 0) return std::nullopt;
  const std::int64_t rate = rate_of(config, kRates[*direction_of(burst)]);
  if (rate == kUnlimited) return std::nullopt;
  return std::min(std::max(rate / 10, kTenPackets), kMost);
}

void take_runtime_rates(Fields& config) {
  if (has_own_rates(config)) return;
  const Fields runtime = config.section("runtimeConfig").section("bandwidth");
  for (const auto* keys : {&kRates, &kBursts}) {
    for (const std::string_view key : *keys) {
      const std::string* json = runtime.find(key);
      // 0 is how runtimes write that there is no limit.
      if (json != nullptr && whole_number(*json) != 0) config.set(key, *json);
    }
  }
}

bool is_silenced(const std::vector<Value>& defaults, const Fields& config, std::string_view key) {
  if (!is_burst(key)) return false;
  const Value* rate = nullptr;
  const std::string_view rate_key = kRates[*direction_of(key)];
  for (const Value& value : defaults) {
    if (protocol::same_letters(value.key, rate_key)) rate = &value;
  }
  const std::string* given = config.find(rate_key);
  return rate != nullptr && given != nullptr && *given != rate->json_for(std::string(kType));
}

void drop_burst(const std::vector<Value>& overrides, Fields& config, std::string_view key) {
  if (is_burst(key)) return;
  const std::string_view burst = kBursts[*direction_of(key)];
  if (!has_value(overrides, burst)) config.remove(burst);
}

void keep_lowest_rates(std::span<Member> members) {
  const auto added = std::find_if(members.begin(), members.end(), [](const Member& member) {
    return is_bandwidth(member) && is_added(member);
  });
  if (added == members.end()) return;
  for (std::size_t direction = 0; direction < kRates.size(); ++direction) {
    Member* lowest = nullptr;
    std::int64_t rate = kUnlimited;
    for (Member& member : members) {
      if (!is_bandwidth(member)) continue;
      const std::int64_t own = rate_of(Fields(member.config), kRates[direction]);
      if (own >= rate) continue;
      lowest = &member;
      rate = own;
    }
    for (Member& member : members) {
      if (!is_bandwidth(member) || &member == lowest) continue;
      if (rate_of(Fields(member.config), kRates[direction]) == kUnlimited) continue;
      give_no_rate(member, direction, *added);
    }
  }
}

void require_rate(const Rule& rule, const Limit& limit, std::span<const Member> members) {
  std::int64_t rate = kUnlimited;
  bool has_traffic = false;
  for (const Member& member : members) {
    has_traffic = has_traffic || member.attaches || is_bandwidth(member);
    if (is_bandwidth(member)) rate = std::min(rate, rate_of(Fields(member.config), limit.key));
  }
  if (!has_traffic) return;
  const bool is_low = limit.min && rate < *limit.min;
  const bool is_high = limit.max && rate > *limit.max;
  if (!is_low && !is_high) return;
  throw Error(
      Code::policy_violated,
      fmt::format("{}: {} {} is not allowed; allowed: {}", rule.title(limit.place), limit.key,
                  rate == kUnlimited ? "unlimited" : fmt::format("{}", rate), limit.str()),
      "a plugin of type bandwidth limits the rates of the list that it is in; one that the runtime "
      "calls by itself doesn't see the others: let it call the whole list as type unicni");
}

}  // namespace unicni::policy
