#include "config.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "unicni/error.h"

namespace unicni {
namespace {

constexpr Option kAddressRows[] = {
    option<&StaticAddress::address>(
        "address",
        "IP address of the interface with prefix length, such as 10.1.2.3/24; may be absent if "
        "args.cni.ips or runtimeConfig.ips replaces it"),
    option<&StaticAddress::gateway>("gateway", "gateway to return for the address; adds no route"),
};

Error wrong(std::size_t index, const char* key, const char* expected, const std::string& text) {
  const std::string path = fmt::format("ipam.addresses[{}].{}", index, key);
  if (text.empty()) {
    return {Code::invalid_config, fmt::format("{}: missing, {} is needed", path, expected),
            "set this key, or give addresses in args.cni.ips or runtimeConfig.ips, which replace "
            "the configured ones"};
  }
  return {Code::invalid_config,
          fmt::format("{}: {} is expected, not {}", path, expected, json_text(text)),
          "write an entry of \"addresses\" as {\"address\": \"10.1.2.3/24\", \"gateway\": "
          "\"10.1.2.1\"}"};
}

IpNet address_of(const StaticAddress& configured, std::size_t index) {
  const auto address = IpNet::parse(configured.address);
  if (address) return *address;
  throw wrong(index, "address", "an address with prefix length", configured.address);
}

std::optional<IpAddress> gateway_of(const StaticAddress& configured, std::size_t index) {
  if (configured.gateway.empty()) return std::nullopt;
  const auto gateway = IpAddress::parse(configured.gateway);
  if (gateway) return gateway;
  throw wrong(index, "gateway", "an IP address", configured.gateway);
}

bool is_reached_from(const IpNet& ip, const IpAddress& gateway) {
  return ip.contains(gateway) && gateway != ip.address();
}

/// Of an address that says nothing about its gateway.
std::optional<IpAddress> fitting_gateway(const StaticOptions& options, const IpNet& ip) {
  for (const IpAddress& gateway : options.cni_args_gateways) {
    if (is_reached_from(ip, gateway)) return gateway;
  }
  for (const StaticAddress& configured : options.addresses) {
    const auto gateway = IpAddress::parse(configured.gateway);
    if (gateway && is_reached_from(ip, *gateway)) return gateway;
  }
  return std::nullopt;
}

constexpr Option kRows[] = {
    option<&StaticOptions::addresses>("addresses",
                                      "IP addresses to assign to the container's interface"),
    option<&StaticOptions::routes>("routes", "routes to return in the result"),
    option<&StaticOptions::dns>("dns", "DNS settings to return in the result"),
    option<&StaticOptions::cni_args_ips>(
        "IP", "comma-separated addresses with prefix length, in addition to \"addresses\"")
        .from(OptionSource::cni_args)
        .exact_case(),
    option<&StaticOptions::cni_args_gateways>(
        "GATEWAY", "comma-separated gateways for the addresses of IP in CNI_ARGS")
        .from(OptionSource::cni_args)
        .exact_case(),
    option<&StaticOptions::args_ips>(
        "ips", "addresses with prefix length that replace \"addresses\" and IP in CNI_ARGS")
        .from(OptionSource::args_cni),
    option<&StaticOptions::runtime_ips>("ips",
                                        "addresses with prefix length that replace those from "
                                        "every other source (capability \"ips\")")
        .from(OptionSource::runtime_config),
};

}  // namespace

constinit const OptionTable kStaticAddressFields = option_table<StaticAddress>(kAddressRows);
constinit const OptionTable kStaticOptions = option_table<StaticOptions>(kRows);

std::vector<IpConfig> merged_addresses(const StaticOptions& options) {
  std::vector<IpConfig> merged;
  const auto& replacement = options.runtime_ips.empty() ? options.args_ips : options.runtime_ips;
  if (!replacement.empty()) {
    for (const IpNet& ip : replacement)
      merged.push_back({ip, fitting_gateway(options, ip), {}, {}});
    return merged;
  }
  for (std::size_t i = 0; i < options.addresses.size(); ++i) {
    const StaticAddress& configured = options.addresses[i];
    merged.push_back({address_of(configured, i), gateway_of(configured, i), {}, {}});
  }
  for (const IpNet& ip : options.cni_args_ips) {
    IpConfig& added = merged.emplace_back(IpConfig{ip, {}, {}, {}});
    for (const IpAddress& gateway : options.cni_args_gateways) {
      if (ip.contains(gateway)) added.gateway = gateway;
    }
  }
  return merged;
}

bool are_replaced(const StaticOptions& options) {
  return !options.args_ips.empty() || !options.runtime_ips.empty();
}

void require_readable(const StaticOptions& options) {
  for (std::size_t i = 0; i < options.addresses.size(); ++i) {
    const StaticAddress& configured = options.addresses[i];
    if (!configured.address.empty()) static_cast<void>(address_of(configured, i));
    static_cast<void>(gateway_of(configured, i));
  }
}

void require_distinct(const std::vector<IpConfig>& ips) {
  for (std::size_t i = 0; i < ips.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (ips[i].address != ips[k].address) continue;
      throw Error(Code::invalid_config,
                  fmt::format("address {} is given twice", ips[i].address.str()),
                  "leave one of them out: an interface has each address once");
    }
  }
}

void require_workable(const std::vector<IpConfig>& ips) {
  require_distinct(ips);
  for (const IpConfig& ip : ips) {
    const IpNet& net = ip.address;
    if (net.address().is_unspecified()) {
      throw Error(Code::invalid_config,
                  fmt::format("address {} is no address that an interface can have", net.str()),
                  "write the address of the container with its prefix length, such as 10.1.2.3/24");
    }
    const bool has_broadcast = net.is_v4() && net.prefix_length() < net.address().bits() - 1;
    if (has_broadcast && net.address() == net.last()) {
      throw Error(
          Code::invalid_config,
          fmt::format("address {} is the broadcast address of {}", net.str(), net.masked().str()),
          "give the container another address or another prefix length: it can't be reached at a "
          "broadcast address");
    }
    if (ip.gateway && ip.gateway->family() != net.family()) {
      throw Error(
          Code::invalid_config,
          fmt::format("gateway {} is of another family than {}", ip.gateway->str(), net.str()),
          "give the address a gateway of its own family, or none");
    }
  }
}

}  // namespace unicni
