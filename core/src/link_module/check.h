// CHECK of what ADD reported: addresses and routes of prevResult against the kernel.
#pragma once

#include "unicni/link_module.h"

namespace unicni::link_module {

/// Every address of prevResult that belongs to this interface is on `link`. Throws Error.
void check_addresses(const Call& call, Host& host, const Result& result, const net::Link& link);

/// The same of addresses that an IPAM has got since.
void require_addresses(const Call& call, Host& host, const std::vector<IpNet>& addresses,
                       const net::Link& link);

/// Every route of prevResult is in the container, by any link (a later plugin may have moved it
/// there), in its table. What prevResult doesn't say isn't compared. Throws Error.
void check_routes(const Call& call, Host& host, const Result& result);

}  // namespace unicni::link_module
