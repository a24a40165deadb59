// What a module hands back, looked at before anybody works with it.
#pragma once

#include "unicni/call.h"
#include "unicni/result.h"

namespace unicni::module {

/// Throws Error(internal) that names the first field of `result` that no runtime and no plugin
/// behind the module could make use of: an ips[].interface without entry in interfaces, an
/// unspecified address, a hardware address that is none, a gateway of the other family, text that
/// JSON can't hold. What the module was given (prevResult, CNI_NETNS) and only hands on is not its
/// fault: libcni takes it from programs of other makers.
void require_sound(const Result& result, const Call& call);

}  // namespace unicni::module
