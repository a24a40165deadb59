// IP forwarding of a namespace.
#pragma once

#include <vector>

#include "unicni/ip.h"
#include "unicni/net/netlink.h"

namespace unicni::net {

/// Whether packets of this family are forwarded between all links: what the sysctls ip_forward and
/// ipv6 conf/all/forwarding say, asked by netlink (RTM_GETNETCONF), at a tenth of a file's price.
/// False on a kernel without the family.
bool is_forwarding(Netlink&, Family);
/// Turns it on if it is off, in the calling thread's namespace, which must be the socket's. Writes
/// nothing if it is on, so a read-only /proc is fine then. Throws Error.
void ensure_forwarding(Netlink&, Family);
/// The same for each family that is among the networks.
void ensure_forwarding(Netlink&, const std::vector<IpNet>& networks);

}  // namespace unicni::net
