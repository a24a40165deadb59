// Where a program of ours is, and so what is installed beside it.
#pragma once

#include <string>

namespace unicni::app {

/// <prefix>/libexec/cni/unicni for <prefix>/bin/cnitool, whether it is there or not; an installed
/// tree may be moved as a whole. Error if /proc isn't there.
std::string own_executable();

}  // namespace unicni::app
