// Read, decide, change a table of iptables through its programs, as one step.
#pragma once

#include <functional>
#include <string>

#include "net/netlink_socket.h"
#include "netfilter/iptables/listing.h"
#include "netfilter/iptables/program.h"

namespace unicni::net {

struct IptablesTable {
  NetlinkSocket& nft;  ///< of the namespace
  Family family;
  IptablesFlavour flavour;
  const char* name;
};

/// `plan` gets what the table holds, or nothing if `is_there` says that none of what it asks about
/// is there, and returns lines for iptables-restore(8); none: all is well. One process, or two. If
/// they are refused, which a foreign change may have caused, it starts over, three times at
/// most. Throws Error "<doing>" with what the program said.
void edit_iptables(const IptablesTable& table, const std::string& doing, Deadline deadline,
                   const std::function<bool()>& is_there,
                   const std::function<std::string(const IptablesListing&)>& plan);

}  // namespace unicni::net
