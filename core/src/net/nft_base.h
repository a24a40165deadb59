// The static ruleset that all networks share; attachments only add elements to its sets.
#pragma once

#include "net/netlink_socket.h"

namespace unicni::net {

inline constexpr const char* kNftTable = "unicni";  ///< of family inet

/// Makes table, sets, chains and rules in one transaction. False: the table is there already
/// (another process may just have made it), and nothing was done. Throws Error.
bool create_nft_base(NetlinkSocket& socket);

}  // namespace unicni::net
