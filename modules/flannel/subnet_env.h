// subnet.env: what flanneld tells the host's plugins of the overlay.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unicni/ip.h"

namespace unicni::flannel {

struct SubnetEnv {
  std::vector<IpNet> networks;       ///< FLANNEL_NETWORK, each once
  std::optional<IpNet> subnet;       ///< FLANNEL_SUBNET; its host bits are 0, as in all of these
  std::vector<IpNet> ipv6_networks;  ///< FLANNEL_IPV6_NETWORK
  std::optional<IpNet> ipv6_subnet;  ///< FLANNEL_IPV6_SUBNET
  std::optional<std::uint32_t> mtu;  ///< FLANNEL_MTU
  std::optional<bool> ipmasq;        ///< FLANNEL_IPMASQ
};

/// The text of the file: KEY=VALUE a line, no quotes, blanks or comments; other keys are ignored.
/// Throws Error(try_again) that names file, line and key, or all keys that are missing.
SubnetEnv parse_subnet_env(const std::string& text, const std::string& path);

/// Reads the file. Throws Error(try_again) also if there is none: flanneld has not started yet, or
/// is at it.
SubnetEnv load_subnet_env(const std::string& path);

}  // namespace unicni::flannel
