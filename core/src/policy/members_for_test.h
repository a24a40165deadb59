// Members as an ADD has them, with tables like those of the modules, for the tests of this folder.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/error_for_test.h"
#include "policy/facts.h"
#include "policy/member.h"
#include "policy/policy.h"
#include "policy/ruling.h"
#include "unicni/options.h"

namespace unicni::policy {

struct RangeFields {
  std::string subnet, gateway;
};
inline constexpr Option kRangeRows[] = {
    option<&RangeFields::subnet>("subnet", ""),
    option<&RangeFields::gateway>("gateway", ""),
};
inline constexpr OptionTable kRange = option_table<RangeFields>(kRangeRows);

struct RouteFields {
  std::int64_t mtu = 0;
};
inline constexpr Option kRouteRows[] = {option<&RouteFields::mtu>("mtu", "")};
inline constexpr OptionTable kRoute = option_table<RouteFields>(kRouteRows);

struct RateFields {
  std::int64_t ingress_rate = 0, ingress_burst = 0, egress_rate = 0, egress_burst = 0;
};
inline constexpr Option kRateRows[] = {
    option<&RateFields::ingress_rate>("ingressRate", ""),
    option<&RateFields::ingress_burst>("ingressBurst", ""),
    option<&RateFields::egress_rate>("egressRate", ""),
    option<&RateFields::egress_burst>("egressBurst", ""),
};
inline constexpr OptionTable kRates = option_table<RateFields>(kRateRows);

}  // namespace unicni::policy

namespace unicni {
template <>
struct OptionFields<policy::RangeFields> {
  static constexpr const OptionTable* table() { return &policy::kRange; }
};
template <>
struct OptionFields<policy::RouteFields> {
  static constexpr const OptionTable* table() { return &policy::kRoute; }
};
template <>
struct OptionFields<policy::RateFields> {
  static constexpr const OptionTable* table() { return &policy::kRates; }
};
}  // namespace unicni

namespace unicni::policy {

struct LinkFields {
  std::string bridge, master, mac, runtime_mac, args_mac;
  std::int64_t mtu = 0;
  bool masq = false;
  std::int64_t args_mtu = 0;
  TextMap sysctl, args_sysctl;
  RateFields rates;
  std::string subnet, gateway;
  std::vector<std::vector<RangeFields>> ranges, runtime_ranges;
  std::vector<RouteFields> routes;
};
inline constexpr Option kBridgeRows[] = {
    option<&LinkFields::bridge>("bridge", "").with_default("cni0"),
    option<&LinkFields::mtu>("mtu", "").with_default("0"),
    option<&LinkFields::masq>("ipMasq", "").with_default("false"),
    option<&LinkFields::mac>("mac", ""),
    option<&LinkFields::runtime_mac>("mac", "").from(OptionSource::runtime_config),
    option<&LinkFields::args_mac>("MAC", "").from(OptionSource::cni_args).exact_case(),
};
inline constexpr OptionTable kBridge = option_table<LinkFields>(kBridgeRows);
inline constexpr Option kMacvlanRows[] = {
    option<&LinkFields::master>("master", ""),
    option<&LinkFields::mtu>("mtu", "").with_default("0"),
};
inline constexpr OptionTable kMacvlan = option_table<LinkFields>(kMacvlanRows);
inline constexpr Option kTuningRows[] = {
    option<&LinkFields::sysctl>("sysctl", ""),
    option<&LinkFields::mtu>("mtu", "").with_default("0"),
    option<&LinkFields::args_sysctl>("sysctl", "").from(OptionSource::args_cni),
    option<&LinkFields::args_mtu>("mtu", "").from(OptionSource::args_cni),
};
inline constexpr OptionTable kTuning = option_table<LinkFields>(kTuningRows);
inline constexpr Option kPortmapRows[] = {
    option<&LinkFields::masq>("snat", ""),
    option<&LinkFields::sysctl>("portMappings", "").from(OptionSource::runtime_config),
};
inline constexpr OptionTable kPortmap = option_table<LinkFields>(kPortmapRows);
inline constexpr Option kBandwidthRows[] = {
    option<&LinkFields::mtu>("ingressRate", ""),
    option<&LinkFields::mtu>("ingressBurst", ""),
    option<&LinkFields::mtu>("egressRate", ""),
    option<&LinkFields::mtu>("egressBurst", ""),
    option<&LinkFields::rates>("bandwidth", "").from(OptionSource::runtime_config),
};
inline constexpr OptionTable kBandwidth = option_table<LinkFields>(kBandwidthRows);
inline constexpr Option kHostLocalRows[] = {
    option<&LinkFields::mac>("dataDir", ""),
    option<&LinkFields::subnet>("subnet", ""),
    option<&LinkFields::gateway>("gateway", ""),
    option<&LinkFields::ranges>("ranges", ""),
    option<&LinkFields::routes>("routes", ""),
    option<&LinkFields::runtime_ranges>("ipRanges", "").from(OptionSource::runtime_config),
};
inline constexpr OptionTable kHostLocal = option_table<LinkFields>(kHostLocalRows);

inline const OptionTable* table_of(std::string_view type) {
  if (type == "bridge") return &kBridge;
  if (type == "macvlan") return &kMacvlan;
  if (type == "tuning") return &kTuning;
  if (type == "portmap") return &kPortmap;
  if (type == "bandwidth") return &kBandwidth;
  return type == "host-local" ? &kHostLocal : nullptr;
}

/// "x-bridge" is served by bridge.
inline Server server(const std::string& type) {
  const std::string resolved = type.starts_with("x-") ? type.substr(2) : type;
  return {type, resolved, table_of(resolved) == nullptr, table_of(resolved)};
}

/// A member of our modules, or (without a table) of another maker's.
inline Member member(const std::string& type, std::string config = "{}") {
  const Server plugin = server(type);
  const bool is_link = plugin.resolved == "bridge" || plugin.resolved == "macvlan";
  Member member{plugin, {}, is_link, is_link};
  member.config = std::move(config);
  return member;
}

inline Member with_ipam(Member member, const std::string& type) {
  member.ipam = server(type);
  return member;
}

/// The same as a program of another maker.
inline Member foreign(Member member) {
  member.plugin.is_program = true;
  return member;
}

inline Place at(std::size_t line) { return {"p.yaml", line, 1}; }

/// A rule of that name in line 3.
inline Rule rule(Match match = {}, std::string name = "r") {
  return {std::move(name), at(3), std::move(match)};
}

inline Facts facts(const std::string& args = "K8S_POD_NAMESPACE=tenant-a;K8S_POD_NAME=web-1",
                   std::initializer_list<std::string_view> configs = {}) {
  return make_facts("net", "eth0", args, std::span(configs.begin(), configs.size()));
}

}  // namespace unicni::policy
