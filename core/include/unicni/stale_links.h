// GC of links by their alias.
#pragma once

#include <vector>

#include "unicni/host.h"
#include "unicni/net/link.h"

namespace unicni {

/// GC: deletes those of these links of the host whose alias names an attachment of this network
/// that isn't valid: what neither a journal nor a namespace's end took away. Throws Error.
void remove_stale_links(const Call& call, Host& host, const std::vector<net::Link>& links);

}  // namespace unicni
