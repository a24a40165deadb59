// The bridge itself: made or adopted, never changed under others.
#pragma once

#include "config.h"
#include "unicni/link_module.h"

namespace unicni::bridge {

/// The bridge of the options, UP, with a MAC that no longer follows its ports. One that exists
/// keeps its MTU, VLAN filtering and everything else. Throws Error.
net::Link ensure_bridge(LinkAdd& add);

}  // namespace unicni::bridge
