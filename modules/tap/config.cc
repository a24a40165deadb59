#include "config.h"

#include <limits>

#include "unicni/link_options.h"

namespace unicni::tap {

namespace {

constexpr std::int64_t kLastId = std::numeric_limits<std::uint32_t>::max() - 1;  // -1 is nobody

constexpr Option kRows[] = {
    option<&TapOptions::multi_queue>("multiQueue", "a program may open several queues")
        .with_default("false"),
    option<&TapOptions::mtu>("mtu", "MTU in bytes; 0: kernel's")
        .with_range(0, 65535)
        .with_default("0"),
    option<&TapOptions::config_mac>("mac", "MAC of the interface; the weakest source"),
    option<&TapOptions::owner>("owner", "uid that may open it without privilege")
        .with_range(0, kLastId),
    option<&TapOptions::group>("group", "gid that may open it without privilege")
        .with_range(0, kLastId),
    option<&TapOptions::selinux_context>("selinuxContext", "SELinux label of the device"),
    option<&TapOptions::bridge>("bridge",
                                "bridge in the container's namespace that it is a port of"),
    option<&TapOptions::dns>("dns", "DNS settings of the result; replaces IPAM's"),
    option<&TapOptions::runtime_mac>("mac", "MAC of the interface")
        .from(OptionSource::runtime_config),
    option<&TapOptions::cni_args_mac>("MAC", "MAC; loses against runtimeConfig")
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
