// Undo record "localnet": interfaces whose route_localnet nobody needs any more.
#pragma once

#include <cstddef>

#include "unicni/undo.h"
#include "unicni/undo/host_kernel.h"

namespace unicni::undo {

/// Versions up to 0.1 wrote no link into the record, and no element of who needs it.
bool is_former_localnet(const Undo& record);

/// restore_idle_localnets() of unicni/undo/localnet.h while records are undone, of which so many
/// are of former versions: one more in the journals keeps all.
void restore_idle_localnets(HostKernel& host, std::ptrdiff_t own_former);

}  // namespace unicni::undo
