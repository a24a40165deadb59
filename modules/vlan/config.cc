#include "config.h"

#include "unicni/error.h"

namespace unicni::vlan {

namespace {

constexpr Option kRows[] = {
    option<&VlanOptions::master>("master",
                                 "parent link that sends and receives the VLAN's tagged frames")
        .must_be_given(),
    option<&VlanOptions::vlan_id>("vlanId", "802.1Q VLAN ID of the interface")
        .with_range(0, 4094)
        .with_default("0"),
    option<&VlanOptions::mtu>(
        "mtu", "MTU in bytes of the interface, at most the parent link's; 0: the parent link's")
        .with_range(0, 65535)
        .with_default("0"),
    option<&VlanOptions::link_in_container>(
        "linkInContainer",
        "the parent link is in the container's network namespace instead of the host's")
        .with_default("false"),
    option<&VlanOptions::dns>("dns", "DNS settings for the result, in place of those from IPAM"),
};

}  // namespace

constinit const OptionTable kVlanOptions = option_table<VlanOptions>(kRows);

void validate(const VlanOptions& options) {
  if (options.master.empty()) {
    throw Error(Code::invalid_config, "master: it is required and empty",
                R"(name the parent link: "master": "eth0")");
  }
  require_valid(options.parent());
}

}  // namespace unicni::vlan
