// CHECK of what bridge made on the host.
#pragma once

#include "config.h"
#include "unicni/link_module.h"

namespace unicni::bridge {

/// The bridge, the port that `container` is the other end of, their settings and rules are those of
/// ADD. Throws Error with what isn't and, where there is one, the command that mends it.
void check_host(const Call& call, Host& host, const net::Link& container);

}  // namespace unicni::bridge
