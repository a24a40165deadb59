// Tables of iptables-legacy, which lives beside nftables in the kernel: netfilter_ipv4/ip_tables.h.
#pragma once

#include <string>

#include "unicni/ip.h"

namespace unicni::net {

/// True if `table` of that family has a chain of that name, in the calling thread's namespace.
/// Never makes the table, as opening it with iptables-legacy would. Microseconds on a host without
/// legacy tables; else it fetches the table, 0.1 ms and more, but runs no program.
bool legacy_has_chain(Family family, const char* table, const std::string& chain);

}  // namespace unicni::net
