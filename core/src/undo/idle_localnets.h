// Undo record "localnet", where no record tells of it.
#pragma once

#include "unicni/undo/host_kernel.h"

namespace unicni::undo {

/// Takes back every route_localnet that nobody needs any more: after a DEL or GC of what has lost
/// its journal.
void restore_idle_localnets(HostKernel& host);

}  // namespace unicni::undo
