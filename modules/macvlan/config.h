// The options of macvlan and what they mean together.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/net/macvlan.h"
#include "unicni/options.h"
#include "unicni/parent_link.h"

namespace unicni::macvlan {

struct MacvlanOptions {
  std::string master;
  std::string mode;
  std::int64_t mtu = 0;
  bool link_in_container = false;
  std::int64_t bc_queue_len = 0;
  DnsOptions dns;
  // three sources of the interface's MAC, strongest first
  std::optional<Mac> runtime_mac;
  std::optional<Mac> cni_args_mac;
  std::optional<Mac> config_mac;

  [[nodiscard]] ParentChoice parent() const { return {master, link_in_container, mtu}; }
  [[nodiscard]] std::optional<Mac> mac() const {
    if (runtime_mac) return runtime_mac;
    return cni_args_mac ? cni_args_mac : config_mac;
  }
};

extern const OptionTable kMacvlanOptions;

/// "mode" as the kernel has it; empty: bridge.
net::MacvlanMode mode_of(const MacvlanOptions&);

/// What single rows can't say. Throws Error(invalid_config).
void validate(const MacvlanOptions&);

}  // namespace unicni::macvlan
