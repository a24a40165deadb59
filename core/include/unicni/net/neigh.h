// Neighbour entries (ARP and NDP).
#pragma once

#include <string>

#include "unicni/ip.h"
#include "unicni/mac.h"
#include "unicni/net/link.h"

namespace unicni::net {

/// If this host has an entry for `address` on the link, it names `mac` from now on, so that packets
/// to an address that moved don't go to its last owner until the entry ages (up to 60 s). Makes no
/// entry where there is none. rtnetlink(7), RTM_NEWNEIGH.
void refresh_neigh(Batch&, const LinkRef&, const IpAddress& address, const Mac& mac);

/// Lets the kernel tell the link's neighbours its addresses again (gratuitous ARP, unsolicited
/// neighbour advertisement): the MAC that it has is set once more, which is the event
/// NETDEV_CHANGEADDR. Needs arp_notify for IPv4 and the sysctl ndisc_notify for IPv6
/// (Documentation/networking/ip-sysctl.rst).
void announce_addrs(Batch&, const LinkRef&, const Mac& mac);

}  // namespace unicni::net
