#include "config.h"

namespace unicni {
namespace {

constexpr Option kAddressRows[] = {
    option<&StaticAddress::address>("address", "address of the interface, with its prefix length")
        .must_be_given(),
    option<&StaticAddress::gateway>("gateway", "gateway of this address; makes no route"),
};

constexpr Option kRows[] = {
    option<&StaticOptions::addresses>("addresses", "addresses to give"),
    option<&StaticOptions::routes>("routes", "routes to give"),
    option<&StaticOptions::dns>("dns", "DNS settings to give"),
    option<&StaticOptions::cni_args_ips>("IP",
                                         "addresses, separated by ',', after the configured ones")
        .from(OptionSource::cni_args)
        .exact_case(),
    option<&StaticOptions::cni_args_gateways>("GATEWAY",
                                              "gateways, separated by ',', of the addresses in IP")
        .from(OptionSource::cni_args)
        .exact_case(),
    option<&StaticOptions::args_ips>("ips", "addresses instead of the configured ones and IP")
        .from(OptionSource::args_cni),
    option<&StaticOptions::runtime_ips>("ips", "addresses instead of all others (capability ips)")
        .from(OptionSource::runtime_config),
};

}  // namespace

constinit const OptionTable kStaticAddressFields = option_table<StaticAddress>(kAddressRows);
constinit const OptionTable kStaticOptions = option_table<StaticOptions>(kRows);

std::vector<IpConfig> merged_addresses(const StaticOptions& options) {
  std::vector<IpConfig> merged;
  const auto& replacement = options.runtime_ips.empty() ? options.args_ips : options.runtime_ips;
  if (!replacement.empty()) {
    for (const IpNet& ip : replacement) merged.push_back({ip, {}, {}, {}});
    return merged;
  }
  for (const StaticAddress& configured : options.addresses) {
    merged.push_back({configured.address, configured.gateway, {}, {}});
  }
  for (const IpNet& ip : options.cni_args_ips) {
    IpConfig& added = merged.emplace_back(IpConfig{ip, {}, {}, {}});
    for (const IpAddress& gateway : options.cni_args_gateways) {
      if (ip.contains(gateway)) added.gateway = gateway;
    }
  }
  return merged;
}

}  // namespace unicni
