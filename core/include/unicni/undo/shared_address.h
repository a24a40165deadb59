// Undo record "shared-address".
#pragma once

#include <string>

#include "unicni/ip.h"
#include "unicni/undo.h"

namespace unicni {

/// An address put on a shared host link. Undone only on failure and only if the link is a bridge
/// without ports.
Undo undo_shared_address(const std::string& link, const IpNet& address);

}  // namespace unicni
