// Connections that the kernel remembers: linux/netfilter/nfnetlink_conntrack.h.
#pragma once

#include <cstdint>
#include <optional>

#include "unicni/ip.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// Senders to a port of this host.
struct Flows {
  Family family = Family::v4;
  std::uint8_t protocol = 0;         ///< IPPROTO_UDP …
  std::optional<IpAddress> host_ip;  ///< whom they send to; nullopt: any address
  std::uint16_t host_port = 0;
};

/// Forgets them, so that the next packet of each meets the rules as they are now: a UDP sender that
/// was there before a port was published, or after, would else keep its old way for minutes. One
/// message; the kernel picks them itself (Linux 5.8; an older one says ENOENT, which counts as
/// "there was none"). A kernel without connection tracking has nothing to forget. Throws Error.
void forget_flows(Nft& nft, const Flows& flows);

}  // namespace unicni::net
