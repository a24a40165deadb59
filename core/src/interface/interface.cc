// Key functions of the interface classes: their vtables live here, in the executable, and not in
// every module.
#include "unicni/error.h"
#include "unicni/host.h"
#include "unicni/module.h"

namespace unicni {

Ipam::~Ipam() = default;
Delegate::~Delegate() = default;
Host::~Host() = default;
Delegate& Host::delegate() { throw Error(Code::internal, "this step has no delegate"); }
Module::~Module() = default;

void Module::validate(const Call&) {}
void Module::gc(const Call&, Host&) {}
void Module::status(const Call&, Host&) {}
void* Module::extension(std::uint32_t) { return nullptr; }

}  // namespace unicni
