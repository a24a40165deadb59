// Undo record "localnet".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// Sysctl route_localnet=1 on a link of the host that its attachments share, and that it stands in
/// localnet_if (netfilter/published_port.h). Undone when nobody needs it there any more.
Undo undo_localnet(const std::string& link);

}  // namespace unicni
