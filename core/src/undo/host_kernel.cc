#include "unicni/undo/host_kernel.h"

namespace unicni {

HostKernel::~HostKernel() = default;

}  // namespace unicni
