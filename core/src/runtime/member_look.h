// What the modules' option tables say of a configuration before anything is attached by it.
#pragma once

#include "protocol/netconf.h"
#include "runtime/list_call.h"

namespace unicni::runtime {

/// Of a member and of the IPAM that it names, as its ADD would find them; nothing of types that
/// programs serve. Throws what ADD would throw for a wrong value; what it would warn of goes to the
/// log.
void look_at_options(const Shared& shared, const protocol::Netconf& member);

}  // namespace unicni::runtime
