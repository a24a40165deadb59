// What portmap can be told.
#pragma once

#include <cstddef>
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
  std::size_t index = 0;             ///< of portMappings
  std::uint8_t protocol = 0;         ///< IPPROTO_TCP, _UDP or _SCTP
  std::optional<IpAddress> host_ip;  ///< nullopt: any of `families`
  bool v4 = true;                    ///< leads to the container's IPv4 address
  bool v6 = true;
  std::uint16_t host_port = 0;
  std::uint16_t container_port = 0;
  const char* unservable = nullptr;  ///< why no packet can be led, whatever the container has

  [[nodiscard]] bool is_of(Family family) const { return family == Family::v4 ? v4 : v6; }
};
/// "portMappings[1] (8080/tcp at 192.0.2.1 to 80)".
std::string describe(const Mapping& mapping);
const char* protocol_name(std::uint8_t protocol);

/// What is written twice is one. Throws Error naming the mapping, its key and what is allowed, or
/// both mappings if one port of the host would lead to two of the container.
std::vector<Mapping> mappings_of(const PortmapOptions& options);
/// Those of one family that lead somewhere, each place once: any address of the host covers single
/// ones.
std::vector<Mapping> served_mappings(const std::vector<Mapping>& mappings, Family family);

/// "ip saddr 192.0.2.0/24"; empty: none for this family.
std::string condition_text(const PortmapOptions& options, Family family);

/// Everything that can be refused without knowing the container. Throws Error.
void validate(const PortmapOptions& options);

}  // namespace unicni::portmap
