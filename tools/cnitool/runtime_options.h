// The runtime that cnitool's environment describes.
#pragma once

#include "unicni/runtime.h"

namespace unicni::cnitool {

/// Where things are: NETCONFPATH, CNI_PATH. Without CNI_PATH it does for what needs no plugins.
RuntimeOptions runtime_options(Isolation isolation);
/// Error(invalid_environment) without CNI_PATH.
void require_plugin_folders();

}  // namespace unicni::cnitool
