// The options of tap.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/options.h"

namespace unicni::tap {

struct TapOptions {
  bool multi_queue = false;
  std::int64_t mtu = 0;
  std::optional<std::uint32_t> owner;
  std::optional<std::uint32_t> group;
  std::string selinux_context;
  std::string bridge;
  DnsOptions dns;
  // three sources of the MAC, strongest first
  std::optional<Mac> runtime_mac;
  std::optional<Mac> cni_args_mac;
  std::optional<Mac> config_mac;

  [[nodiscard]] std::optional<Mac> mac() const {
    if (runtime_mac) return runtime_mac;
    return cni_args_mac ? cni_args_mac : config_mac;
  }
};

extern const OptionTable kTapOptions;

/// What single rows can't say. Throws Error(invalid_config).
void validate(const TapOptions& options);

}  // namespace unicni::tap
