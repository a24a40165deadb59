#include "config.h"

#include <fmt/core.h>

#include <set>

#include "unicni/error.h"
#include "unicni/link_options.h"
#include "unicni/masquerade.h"

namespace unicni::bridge {

namespace {

constexpr std::size_t kLongestName = 15;  // IFNAMSIZ - 1

constexpr Option kTrunkRows[] = {
    option<&VlanTrunk::min_id>("minID", "first VLAN of a range").with_range(1, 4094),
    option<&VlanTrunk::max_id>("maxID", "last VLAN of a range").with_range(1, 4094),
    option<&VlanTrunk::id>("id", "one VLAN").with_range(1, 4094),
};

constexpr Option kRows[] = {
    option<&BridgeOptions::bridge>("bridge", "name of the bridge; made if it doesn't exist")
        .with_default("cni0"),
    option<&BridgeOptions::is_gateway>("isGateway",
                                       "the bridge gets the gateway's address, forwarding is on")
        .with_default("false"),
    option<&BridgeOptions::is_default_gateway>("isDefaultGateway",
                                               "isGateway, and a default route in the container")
        .with_default("false"),
    option<&BridgeOptions::force_address>(
        "forceAddress", "replace another address of the bridge instead of failing")
        .with_default("false"),
    option<&BridgeOptions::ip_masq>("ipMasq", "masquerade what leaves the container's subnet")
        .with_default("false"),
    option<&BridgeOptions::ip_masq_backend>("ipMasqBackend",
                                            "what holds the masquerade rules; \"\": nftables")
        .with_choices(kMasqBackends)
        .with_default("nftables"),
    option<&BridgeOptions::mtu>("mtu",
                                "MTU in bytes of the veth, and of a bridge made now; 0: kernel's")
        .with_range(0, 65535)
        .with_default("0"),
    option<&BridgeOptions::hairpin_mode>("hairpinMode",
                                         "the bridge may send a frame back to its own port")
        .with_default("false"),
    option<&BridgeOptions::promisc_mode>("promiscMode", "the bridge takes every frame")
        .with_default("false"),
    option<&BridgeOptions::vlan>("vlan", "VLAN of the container's port")
        .with_range(0, 4094)
        .with_default("0"),
    option<&BridgeOptions::vlan_trunk>("vlanTrunk", "tagged VLANs of the container's port"),
    option<&BridgeOptions::preserve_default_vlan>("preserveDefaultVlan",
                                                  "keep the bridge's default VLAN on the port")
        .with_default("false"),
    option<&BridgeOptions::mac_spoof_check>(
        "macspoofchk", "drop frames with another source MAC than the container's")
        .with_default("false"),
    option<&BridgeOptions::enable_dad>("enabledad", "probe IPv6 addresses for duplicates")
        .with_default("false"),
    option<&BridgeOptions::disable_container_interface>("disableContainerInterface",
                                                        "leave the container's interface down")
        .with_default("false"),
    option<&BridgeOptions::port_isolation>("portIsolation", "isolated ports don't reach each other")
        .with_default("false"),
    option<&BridgeOptions::dns>("dns", "DNS settings of the result; replaces IPAM's"),
    option<&BridgeOptions::runtime_mac>("mac", "MAC of the container's interface")
        .from(OptionSource::runtime_config),
    option<&BridgeOptions::args_mac>("mac", "MAC; loses against runtimeConfig")
        .from(OptionSource::args_cni),
    option<&BridgeOptions::cni_args_mac>("MAC", "MAC; loses against args.cni")
        .from(OptionSource::cni_args)
        .exact_case(),
};

}  // namespace

constinit const OptionTable kVlanTrunkFields = option_table<VlanTrunk>(kTrunkRows);
constinit const OptionTable kBridgeOptions = option_table<BridgeOptions>(kRows);

std::vector<std::uint16_t> trunk_vlans(const BridgeOptions& options) {
  std::set<std::uint16_t> vlans;
  if (!options.vlan_trunk) return {};
  for (std::size_t i = 0; i < options.vlan_trunk->size(); ++i) {
    const VlanTrunk& item = options.vlan_trunk->at(i);
    const auto refuse = [i](const std::string& text) {
      throw Error(Code::invalid_config, fmt::format("vlanTrunk[{}]: {}", i, text),
                  "an item is {\"id\": N}, {\"minID\": N, \"maxID\": M} with N <= M, or both; "
                  "VLANs are 1 to 4094");
    };
    if (item.min_id.has_value() != item.max_id.has_value()) {
      refuse(fmt::format("minID and maxID should be configured simultaneously, {} is missing",
                         item.min_id ? "maxID" : "minID"));
    }
    if (item.min_id && *item.min_id > *item.max_id) {
      refuse(fmt::format("minID {} is greater than maxID {}", *item.min_id, *item.max_id));
    }
    if (item.min_id) {
      for (auto vlan = *item.min_id; vlan <= *item.max_id; ++vlan) {
        vlans.insert(static_cast<std::uint16_t>(vlan));
      }
    }
    if (item.id) vlans.insert(static_cast<std::uint16_t>(*item.id));
  }
  return {vlans.begin(), vlans.end()};
}

std::string vlan_gateway_name(const BridgeOptions& options) {
  return fmt::format("{}.{}", options.bridge, options.vlan);
}

void validate(const BridgeOptions& options, bool has_ipam) {
  require_link_name("bridge", options.bridge);
  if (options.hairpin_mode && options.promisc_mode) {
    throw Error(Code::invalid_config, "hairpinMode and promiscMode can't both be true",
                "with promiscMode the bridge itself answers for its ports");
  }
  require_mtu_range("mtu", options.mtu);
  require_interface_mac("mac", options.mac());
  if (has_ipam && options.disable_container_interface) {
    throw Error(Code::invalid_config, "cannot use IPAM when DisableContainerInterface flag is set",
                "an interface that is left down gets no addresses: remove \"ipam\" or "
                "\"disableContainerInterface\"");
  }
  static_cast<void>(trunk_vlans(options));
  if (options.vlan != 0 && options.gateway() && vlan_gateway_name(options).size() > kLongestName) {
    throw Error(Code::invalid_config,
                fmt::format("bridge: \"{}\" is too long for VLAN {}: its gateway would be the "
                            "interface {}",
                            options.bridge, options.vlan, vlan_gateway_name(options)),
                fmt::format("names of links have at most {} bytes", kLongestName));
  }
}

}  // namespace unicni::bridge
