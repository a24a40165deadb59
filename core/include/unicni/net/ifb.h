// Intermediate functional blocks: where what a link receives can queue.
#pragma once

#include <string>

#include "unicni/net/link_kind.h"

namespace unicni::net {

inline constexpr LinkKind kIfb{"ifb", "ifb"};

/// Without a transmit queue of its own, with IFLA_IFALIAS `alias` (at most 255 bytes).
void add_ifb(Batch&, const LinkSpec&, const std::string& alias);

}  // namespace unicni::net
