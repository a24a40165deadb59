// IP and UDP around a DHCP message, for a client that has no address yet, or a kernel whose sockets
// and rules are the container's business: RFC 791, RFC 768. And the ARP packet that asks whether an
// address is in use: RFC 5227 §2.1.
#pragma once

#include <optional>

#include "bytes.h"
#include "unicni/ip.h"
#include "unicni/mac.h"

namespace unicni::dhcp {

inline constexpr std::uint16_t kServerPort = 67;
inline constexpr std::uint16_t kClientPort = 68;
// RFC 8415 §7.2.
inline constexpr std::uint16_t kServerPortV6 = 547;
inline constexpr std::uint16_t kClientPortV6 = 546;

struct Datagram {
  IpAddress src;
  IpAddress dst;
  Bytes payload;
};

/// From port 68 to port 67.
Bytes wrap(const Datagram& datagram);
/// What came to port 68; nullopt: it is something else, or broken. The UDP checksum counts only
/// with `summed`: packets that never left the machine may have none yet.
std::optional<Datagram> unwrap(View bytes, bool summed);

/// The same of DHCPv6 (RFC 8200, RFC 768): from port 546 to port 547 of neighbours.
Bytes wrap_v6(const Datagram& datagram);
/// What came to port 546, without extension headers.
std::optional<Datagram> unwrap_v6(View bytes, bool summed);

/// "Who has `address`?" of somebody who has none himself.
Bytes arp_probe(const Mac& own, const IpAddress& address);
/// Whether an ARP packet is of another machine that has `address`, or probes for it as well.
bool is_arp_conflict(View bytes, const Mac& own, const IpAddress& address);

}  // namespace unicni::dhcp
