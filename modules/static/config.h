// What static can be told, and the addresses that follow from it.
#pragma once

#include <string>
#include <vector>

#include "unicni/options.h"
#include "unicni/result.h"

namespace unicni {

/// As written: what others will replace needs to be no address.
struct StaticAddress {
  std::string address;
  std::string gateway;
};

struct StaticOptions {
  std::vector<StaticAddress> addresses;
  std::vector<Route> routes;
  Dns dns;
  // Weakest to strongest source after the configuration; see merged_addresses().
  std::vector<IpNet> cni_args_ips;
  std::vector<IpAddress> cni_args_gateways;
  std::vector<IpNet> args_ips;
  std::vector<IpNet> runtime_ips;
};

extern const OptionTable kStaticOptions;
extern const OptionTable kStaticAddressFields;
template <>
struct OptionFields<StaticAddress> {
  static constexpr const OptionTable* table() { return &kStaticAddressFields; }
};

/// The configured addresses, then those of CNI_ARGS. Addresses in args.cni replace all of them, and
/// addresses in runtimeConfig replace those again; each keeps the gateway, of CNI_ARGS or else the
/// first configured one, that its subnet has. A GATEWAY of CNI_ARGS goes with the addresses of
/// CNI_ARGS whose subnet has it. Error(invalid_config) for configured ones that are needed and
/// wrong.
std::vector<IpConfig> merged_addresses(const StaticOptions& options);

/// Whether args.cni or runtimeConfig gives the addresses.
bool are_replaced(const StaticOptions& options);

/// Error(invalid_config) for configured texts that are there and wrong, whoever may replace them.
void require_readable(const StaticOptions& options);

/// Error(invalid_config) for an address that is its subnet's broadcast address, and for a gateway
/// of the other family.
void require_workable(const std::vector<IpConfig>& ips);

}  // namespace unicni
