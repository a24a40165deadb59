#include "config.h"

#include <limits>

#include "unicni/link_options.h"
#include "unicni/net/macvlan.h"

namespace unicni::macvlan {

namespace {

constexpr const char* kModes[] = {"bridge", "private", "vepa", "passthru", "", nullptr};

constexpr Option kRows[] = {
    option<&MacvlanOptions::master>(
        "master", "parent link; absent or \"\": the link of the first default route"),
    option<&MacvlanOptions::mode>("mode",
                                  "macvlan mode: bridge lets interfaces of one parent link reach "
                                  "each other, private doesn't, vepa only by an external switch; "
                                  "passthru gives the parent link to one interface; \"\": bridge")
        .with_choices(kModes)
        .with_default("bridge"),
    option<&MacvlanOptions::mtu>(
        "mtu", "MTU in bytes of the interface, at most the parent link's; 0: the parent link's")
        .with_range(0, 65535)
        .with_default("0"),
    option<&MacvlanOptions::link_in_container>(
        "linkInContainer",
        "the parent link is in the container's network namespace instead of the host's")
        .with_default("false"),
    option<&MacvlanOptions::bc_queue_len>(
        "bcqueuelen",
        "broadcast frames that the parent link may queue for its macvlans; 0: the kernel's default")
        .with_range(0, std::numeric_limits<std::uint32_t>::max())
        .with_default("0"),
    option<&MacvlanOptions::dns>("dns", "DNS settings for the result, in place of those from IPAM"),
    option<&MacvlanOptions::runtime_mac>("mac", "MAC address of the interface (capability \"mac\")")
        .from(OptionSource::runtime_config),
    option<&MacvlanOptions::cni_args_mac>(
        "MAC", "MAC address of the interface; runtimeConfig.mac overrides it")
        .from(OptionSource::cni_args)
        .exact_case(),
    option<&MacvlanOptions::config_mac>(
        "mac", "MAC address of the interface; MAC in CNI_ARGS and runtimeConfig.mac override it"),
};

}  // namespace

constinit const OptionTable kMacvlanOptions = option_table<MacvlanOptions>(kRows);

net::MacvlanMode mode_of(const MacvlanOptions& options) {
  if (options.mode == "private") return net::MacvlanMode::private_;
  if (options.mode == "vepa") return net::MacvlanMode::vepa;
  return options.mode == "passthru" ? net::MacvlanMode::passthru : net::MacvlanMode::bridge;
}

void validate(const MacvlanOptions& options) {
  require_valid(options.parent());
  require_interface_mac("mac", options.mac());
}

}  // namespace unicni::macvlan
