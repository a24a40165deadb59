#include "config.h"

#include <limits>

#include "unicni/link_options.h"
#include "unicni/net/macvlan.h"

namespace unicni::macvlan {

namespace {

constexpr const char* kModes[] = {"bridge", "private", "vepa", "passthru", "", nullptr};

constexpr Option kRows[] = {
    option<&MacvlanOptions::master>("master",
                                    "parent link; \"\": that of the host's first default route"),
    option<&MacvlanOptions::mode>("mode", "who hears whom on the parent; \"\": bridge")
        .with_choices(kModes)
        .with_default("bridge"),
    option<&MacvlanOptions::mtu>("mtu", "MTU in bytes, at most the parent's; 0: the parent's")
        .with_range(0, 65535)
        .with_default("0"),
    option<&MacvlanOptions::link_in_container>("linkInContainer",
                                               "the parent is in the container's namespace")
        .with_default("false"),
    option<&MacvlanOptions::bc_queue_len>(
        "bcqueuelen", "broadcasts that may wait, in packets; 0: the kernel's default")
        .with_range(0, std::numeric_limits<std::uint32_t>::max())
        .with_default("0"),
    option<&MacvlanOptions::dns>("dns", "DNS settings of the result; replaces IPAM's"),
    option<&MacvlanOptions::runtime_mac>("mac", "MAC of the interface")
        .from(OptionSource::runtime_config),
    option<&MacvlanOptions::cni_args_mac>("MAC", "MAC; loses against runtimeConfig")
        .from(OptionSource::cni_args)
        .exact_case(),
    option<&MacvlanOptions::config_mac>("mac", "MAC; loses against CNI_ARGS"),
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
