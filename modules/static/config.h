// What static can be told, and the addresses that follow from it.
#pragma once

#include <optional>
#include <vector>

#include "unicni/options.h"
#include "unicni/result.h"

namespace unicni {

struct StaticAddress {
  IpNet address;
  std::optional<IpAddress> gateway;
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
/// addresses in runtimeConfig replace those again. A GATEWAY of CNI_ARGS goes with the addresses of
/// CNI_ARGS whose subnet has it.
std::vector<IpConfig> merged_addresses(const StaticOptions& options);

}  // namespace unicni
