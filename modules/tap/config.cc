#include "config.h"

#include <limits>

#include "unicni/link_options.h"

namespace unicni::tap {

namespace {

constexpr std::int64_t kLastId = std::numeric_limits<std::uint32_t>::max() - 1;  // -1 is nobody

constexpr Option kRows[] = {
    option<&TapOptions::multi_queue>(
        "multiQueue", "create a tap with several queues, for a program that opens more than one")
        .with_default("false"),
    option<&TapOptions::mtu>("mtu", "MTU in bytes of the tap; 0: the kernel's default")
        .with_range(0, 65535)
        .with_default("0"),
    option<&TapOptions::config_mac>(
        "mac", "MAC address of the interface; MAC in CNI_ARGS and runtimeConfig.mac override it"),
    option<&TapOptions::owner>("owner", "user ID that may open the tap without CAP_NET_ADMIN")
        .with_range(0, kLastId),
    option<&TapOptions::group>("group", "group ID that may open the tap without CAP_NET_ADMIN")
        .with_range(0, kLastId),
    option<&TapOptions::selinux_context>(
        "selinuxContext",
        "SELinux context of the process that creates the tap, and so the tap's label"),
    option<&TapOptions::bridge>(
        "bridge", "bridge in the container's network namespace that the tap becomes a port of"),
    option<&TapOptions::dns>("dns", "DNS settings for the result, in place of those from IPAM"),
    option<&TapOptions::runtime_mac>("mac", "MAC address of the interface (capability \"mac\")")
        .from(OptionSource::runtime_config),
    option<&TapOptions::cni_args_mac>(
        "MAC", "MAC address of the interface; runtimeConfig.mac overrides it")
        .from(OptionSource::cni_args)
        .exact_case(),
};

}  // namespace

constinit const OptionTable kTapOptions = option_table<TapOptions>(kRows);

void validate(const TapOptions& options) {
  require_mtu_range("mtu", options.mtu);
  require_interface_mac("mac", options.mac());
  if (!options.bridge.empty()) require_link_name("bridge", options.bridge);
}

}  // namespace unicni::tap
