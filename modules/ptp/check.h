// CHECK of what ptp adds to a link: its host end, both ends' routes, forwarding, masquerade.
#pragma once

#include "unicni/call.h"
#include "unicni/host.h"
#include "unicni/net/link.h"

namespace unicni::ptp {

/// `container` is CNI_IFNAME. Throws Error that names what has drifted and, where there is one, the
/// command that mends it.
void check_ends(const Call& call, Host& host, const net::Link& container);

}  // namespace unicni::ptp
