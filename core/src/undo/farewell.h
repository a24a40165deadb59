// The last packet of a lease whose daemon can't send it.
#pragma once

#include "unicni/line.h"
#include "unicni/undo/host_kernel.h"

namespace unicni::undo {

/// Sends what the file of a lease has ready in its field "farewell", an IPv4 packet, to the
/// neighbour "next_hop", by the link that the lease is for: namespace, index and MAC must be those
/// that the file says. The link is brought up for that. Throws Error: why it can't be sent.
void send_farewell(const Line& lease, HostKernel& host);

}  // namespace unicni::undo
