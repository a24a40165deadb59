// Undo record "veth": whose host end still stands.
#pragma once

#include <vector>

#include "unicni/net/netlink.h"
#include "unicni/undo.h"

namespace unicni::undo {

/// Whether the host end of one of the records is there, under its name and alias.
bool has_host_end(const std::vector<Undo>& records, net::Netlink& host_links);

}  // namespace unicni::undo
