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
    option<&VlanTrunk::min_id>("minID", "first VLAN ID of a range; maxID is needed with it")
        .with_range(1, 4094),
    option<&VlanTrunk::max_id>("maxID", "last VLAN ID of a range; minID is needed with it")
        .with_range(1, 4094),
    option<&VlanTrunk::id>("id", "a single VLAN ID").with_range(1, 4094),
};

constexpr Option kRows[] = {
    option<&BridgeOptions::bridge>("bridge",
                                   "name of the bridge on the host; created if it doesn't exist")
        .with_default("cni0"),
    option<&BridgeOptions::is_gateway>("isGateway",
                                       "assign the gateway addresses from IPAM to the bridge, and "
                                       "enable IP forwarding on the host")
        .with_default("false"),
    option<&BridgeOptions::is_default_gateway>(
        "isDefaultGateway",
        "add default routes to the container that go by the bridge; implies isGateway")
        .with_default("false"),
    option<&BridgeOptions::force_address>(
        "forceAddress",
        "with isGateway, replace a different address on the bridge instead of failing")
        .with_default("false"),
    option<&BridgeOptions::ip_masq>(
        "ipMasq", "masquerade the container's connections to addresses outside its subnet")
        .with_default("false"),
    option<&BridgeOptions::ip_masq_backend>(
        "ipMasqBackend", "where masquerade rules are kept; \"none\": nowhere, \"\": nftables")
        .with_choices(kMasqBackends)
        .with_default("nftables"),
    option<&BridgeOptions::mtu>("mtu",
                                "MTU in bytes of the veth pair, and of the bridge if it is "
                                "created; 0: the kernel's default")
        .with_range(0, 65535)
        .with_default("0"),
    option<&BridgeOptions::hairpin_mode>(
        "hairpinMode",
        "enable hairpin mode: the bridge may send a frame out of the port that it came in by")
        .with_default("false"),
    option<&BridgeOptions::promisc_mode>("promiscMode", "put the bridge into promiscuous mode")
        .with_default("false"),
    option<&BridgeOptions::vlan>(
        "vlan", "VLAN ID of untagged frames on the container's bridge port; 0: none set")
        .with_range(0, 4094)
        .with_default("0"),
    option<&BridgeOptions::vlan_trunk>(
        "vlanTrunk", "VLANs whose tagged frames the container's bridge port carries"),
    option<&BridgeOptions::preserve_default_vlan>(
        "preserveDefaultVlan",
        "with vlan, keep the container's bridge port in the bridge's default VLAN as well")
        .with_default("false"),
    option<&BridgeOptions::mac_spoof_check>(
        "macspoofchk",
        "drop frames from the container with a source MAC other than its interface's")
        .with_default("false"),
    option<&BridgeOptions::enable_dad>("enabledad",
                                       "probe IPv6 addresses with duplicate address detection; ADD "
                                       "waits, and fails on a duplicate")
        .with_default("false"),
    option<&BridgeOptions::disable_container_interface>(
        "disableContainerInterface",
        "leave the container's interface down; not allowed together with ipam")
        .with_default("false"),
    option<&BridgeOptions::port_isolation>(
        "portIsolation",
        "isolate the container's bridge port from the bridge's other isolated ports")
        .with_default("false"),
    option<&BridgeOptions::dns>("dns", "DNS settings for the result, in place of those from IPAM"),
    option<&BridgeOptions::runtime_mac>(
        "mac", "MAC address of the container's interface (capability \"mac\")")
        .from(OptionSource::runtime_config),
    option<&BridgeOptions::args_mac>(
        "mac", "MAC address of the container's interface; runtimeConfig.mac overrides it")
        .from(OptionSource::args_cni),
    option<&BridgeOptions::cni_args_mac>(
        "MAC",
        "MAC address of the container's interface; args.cni.mac and runtimeConfig.mac override it")
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
                  "write an item of vlanTrunk as {\"id\": N}, {\"minID\": N, \"maxID\": M} with N "
                  "<= M, or both; VLANs are 1 to 4094");
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
    throw Error(
        Code::invalid_config, "hairpinMode and promiscMode can't both be true",
        "set one of them to false: either alone lets a container reach its own published ports");
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
    throw Error(
        Code::invalid_config,
        fmt::format("bridge: \"{}\" is too long for VLAN {}: its gateway would be the "
                    "interface {}",
                    options.bridge, options.vlan, vlan_gateway_name(options)),
        fmt::format("choose a shorter name in \"bridge\": names of links have at most {} bytes",
                    kLongestName));
  }
}

}  // namespace unicni::bridge
