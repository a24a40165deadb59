// The question whether an IPv6 address is in use, as duplicate address detection asks it: RFC 4862
// §5.4.2, RFC 4861 §4.3 and §4.4.
#pragma once

#include "bytes.h"
#include "unicni/ip.h"
#include "unicni/mac.h"

namespace unicni::dhcp {

/// Of an Ethernet frame that goes to all who might have `address`.
Mac solicited_node_mac(const IpAddress& address);
/// "Who has `address`?" of somebody who has none himself: an IPv6 packet.
Bytes neighbour_probe(const IpAddress& address);
/// Whether an IPv6 packet is of another machine that has `address`, or probes for it as well.
bool is_neighbour_conflict(View bytes, const Mac& from, const Mac& own, const IpAddress& address);

}  // namespace unicni::dhcp
