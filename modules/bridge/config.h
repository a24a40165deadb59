// The options of bridge and what they mean together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unicni/options.h"

namespace unicni::bridge {

struct VlanTrunk {
  std::optional<std::int64_t> min_id;
  std::optional<std::int64_t> max_id;
  std::optional<std::int64_t> id;
};

struct BridgeOptions {
  std::string bridge;
  bool is_gateway = false;
  bool is_default_gateway = false;
  bool force_address = false;
  bool ip_masq = false;
  std::string ip_masq_backend;
  std::int64_t mtu = 0;
  bool hairpin_mode = false;
  bool promisc_mode = false;
  std::int64_t vlan = 0;
  std::optional<std::vector<VlanTrunk>> vlan_trunk;
  bool preserve_default_vlan = false;
  bool mac_spoof_check = false;
  bool enable_dad = false;
  bool disable_container_interface = false;
  bool port_isolation = false;
  DnsOptions dns;
  // three sources of the container's MAC, strongest first
  std::optional<Mac> runtime_mac;
  std::optional<Mac> args_mac;
  std::optional<Mac> cni_args_mac;

  [[nodiscard]] bool wants_vlans() const { return vlan != 0 || vlan_trunk.has_value(); }
  [[nodiscard]] bool gateway() const { return is_gateway || is_default_gateway; }
  [[nodiscard]] std::optional<Mac> mac() const {
    if (runtime_mac) return runtime_mac;
    return args_mac ? args_mac : cni_args_mac;
  }
};

extern const OptionTable kBridgeOptions;

/// The VLANs of "vlanTrunk", sorted, each once. Throws Error(invalid_config) for an item that has
/// only one end of a range, or its ends the wrong way round.
std::vector<std::uint16_t> trunk_vlans(const BridgeOptions& options);

/// The interface of the host that has the gateway's addresses of "vlan": "cni0.100".
std::string vlan_gateway_name(const BridgeOptions& options);

/// What single rows can't say: combinations, names. Throws Error(invalid_config).
void validate(const BridgeOptions& options, bool has_ipam);

}  // namespace unicni::bridge

namespace unicni {
namespace bridge {
extern const OptionTable kVlanTrunkFields;
}
template <>
struct OptionFields<bridge::VlanTrunk> {
  static constexpr const OptionTable* table() { return &bridge::kVlanTrunkFields; }
};
}  // namespace unicni
