// The last packets of a lease whose daemon can't send them.
#pragma once

#include <string>

#include "unicni/line.h"
#include "unicni/undo/host_kernel.h"

namespace unicni::undo {

/// The namespace that the verb was given; nullptr: it has none, or none that can be opened.
const net::Netns* find_given_netns(HostKernel& host) noexcept;

/// Sends what the file of a lease has ready, by the link that the lease is for (net/kept_link.h):
/// its field "farewell", an IPv4 packet, to the neighbour "next_hop"; "v6.farewell", an IPv6
/// packet, to the group that it names. Throws Error: why it can't be sent.
void send_farewell(const Line& lease, HostKernel& host);

/// Brings the link of a lease up if it is down, so that what is said through it leaves the host:
/// its other end's port forwards when this returns. Best effort. Returns why nothing leaves the
/// host nevertheless, as far as it is seen from here; "": nothing is in the way.
std::string wake_link(const Line& lease, HostKernel& host);

}  // namespace unicni::undo
