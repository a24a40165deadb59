// Key functions of the classes of host.h: their vtables live here, in the executable, and not in
// every module.
#include "unicni/host.h"

#include "unicni/error.h"

namespace unicni {

Ipam::~Ipam() = default;
Delegate::~Delegate() = default;
Host::~Host() = default;
Delegate& Host::delegate() { throw Error(Code::internal, "this step has no delegate"); }
std::string Host::executable() const { return {}; }

Daemons& Host::daemons() { throw Error(Code::internal, "this verb has no daemons"); }

}  // namespace unicni
