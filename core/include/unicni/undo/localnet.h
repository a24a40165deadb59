// Undo record "localnet".
#pragma once

#include <optional>
#include <string>

#include "unicni/attachments.h"
#include "unicni/undo.h"
#include "unicni/undo/host_kernel.h"

namespace unicni {

/// Sysctl route_localnet=1 on a link of the host that its attachments share, and that it stands in
/// localnet_if (netfilter/published_port.h). Undone when nobody needs it there any more.
Undo undo_localnet(const std::string& link);

/// Whether it was us who set it on that link, as the journals say; nullopt: they don't.
std::optional<bool> is_localnet_by_us(Attachments& attachments, const std::string& link);

/// Takes back every route_localnet that nobody needs any more: after the removal of what no journal
/// tells of, such as ports that the reference published. Where no interface has one it is an
/// nftables round trip. Throws Error.
void restore_idle_localnets(HostKernel& host);

}  // namespace unicni
