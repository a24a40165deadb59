// What portmap can be told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unicni/ip.h"
#include "unicni/options.h"

namespace unicni::portmap {

/// One of runtimeConfig.portMappings, as written.
struct PortMapping {
  std::int64_t host_port = 0;
  std::int64_t container_port = 0;
  std::string protocol;
  std::string host_ip;
};

struct PortmapOptions {
  std::string backend;
  bool snat = true;
  bool masq_all = false;
  std::optional<std::int64_t> mark_bit;
  std::string set_mark_chain;
  std::vector<std::string> conditions_v4;
  std::vector<std::string> conditions_v6;
  bool ipv6_loopback = false;
  std::vector<PortMapping> mappings;
};

extern const OptionTable kPortmapOptions;

enum class Backend : std::uint8_t { nftables, iptables, none };
/// "backend"; if that isn't given, what the other keys need: externalSetMarkChain and conditions as
/// iptables(8) writes them need iptables.
Backend backend_of(const PortmapOptions& options);

/// One mapping as it is meant.
struct Mapping {
  std::uint8_t protocol = 0;         ///< IPPROTO_TCP, _UDP or _SCTP
  std::optional<IpAddress> host_ip;  ///< nullopt: any of `families`
  bool v4 = true;                    ///< leads to the container's IPv4 address
  bool v6 = true;
  std::uint16_t host_port = 0;
  std::uint16_t container_port = 0;
};
/// Throws Error naming the mapping, its key and what is allowed.
std::vector<Mapping> mappings_of(const PortmapOptions& options);

/// "ip saddr 192.0.2.0/24"; empty: none for this family.
std::string condition_text(const PortmapOptions& options, Family family);

/// Everything that can be refused without knowing the container. Throws Error.
void validate(const PortmapOptions& options);

}  // namespace unicni::portmap
