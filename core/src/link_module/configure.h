// Addresses, UP and routes of the container's link.
#pragma once

#include "unicni/link_module.h"

namespace unicni::link_module {

/// Sets the link UP before IPAM that talks through it.
void bring_up(const LinkAdd& add);

/// One batch inside the container: changes, addresses, UP, routes of add.result. Addresses come
/// before UP, so that arp_notify announces them (kernel: inetdev_send_gratuitous_arp on NETDEV_UP).
void configure(const LinkAdd& add, const net::LinkChange& change, net::Dad dad);

/// Waits until no IPv6 address of the container's link is tentative. Throws Error if one is a
/// duplicate, or if the kernel hasn't decided within 5 s (or the call's deadline).
void await_dad(const LinkAdd& add);

}  // namespace unicni::link_module
