// Policy routing: which routing table a packet is looked up in. ip-rule(8).
#pragma once

#include <cstdint>
#include <vector>

#include "unicni/ip.h"
#include "unicni/net/netlink.h"

namespace unicni::net {

/// Packets from `from` are looked up in `table`.
struct Rule {
  IpNet from;  ///< prefix length 0: from anywhere
  std::uint32_t table = 0;
  friend bool operator==(const Rule&, const Rule&) = default;
};

/// At a priority of the kernel's choice, before all rules but that of the local table. One that is
/// there already is no obstacle: then there are two (fib_default_rule_pref()).
void add_rule(Batch&, const Rule&);
/// One of them, whatever its priority is. None is success.
void remove_rule(Batch&, const Rule&);
/// All rules of one family that choose a table. EOPNOTSUPP without CONFIG_IP_MULTIPLE_TABLES.
std::vector<Rule> list_rules(Netlink&, Family);

}  // namespace unicni::net
