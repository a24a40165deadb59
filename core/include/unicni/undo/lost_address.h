// Undo record "lost-address".
#pragma once

#include <string>

#include "unicni/ip.h"
#include "unicni/net/link.h"
#include "unicni/undo.h"

namespace unicni {

/// An address that a link in the container loses by a change. Undone by adding it again.
Undo undo_lost_address(const net::Link& link, const IpNet& address);

}  // namespace unicni
