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
  std::vector<VlanTrunk> vlan_trunk;
  bool preserve_default_vlan = false;
  bool mac_spoof_check = false;
  bool enable_dad = false;
  bool disable_container_interface = false;
  bool port_isolation = false;
  std::optional<Dns> dns;
  // three sources of the container's MAC, strongest first
  std::optional<Mac> runtime_mac;
  std::optional<Mac> args_mac;
  std::optional<Mac> cni_args_mac;

  [[nodiscard]] bool gateway() const { return is_gateway || is_default_gateway; }
  [[nodiscard]] std::optional<Mac> mac() const {
    if (runtime_mac) return runtime_mac;
    return args_mac ? args_mac : cni_args_mac;
  }
};

extern const OptionTable kBridgeOptions;

/// What single rows can't say: combinations, names. Throws Error(invalid_config).
void validate(const BridgeOptions& options);

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
