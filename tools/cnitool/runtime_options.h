// The runtime that cnitool's environment describes.
#pragma once

#include "unicni/runtime.h"

namespace unicni::cnitool {

/// Where things are: NETCONFPATH, CNI_PATH. Without CNI_PATH it does for what needs no plugins.
RuntimeOptions runtime_options(Isolation isolation);
/// Error(invalid_environment) without CNI_PATH; Error(invalid_config) if it has neither a plugin of
/// the network nor the executable unicni.
void require_plugins(const NetworkConfig& network);

}  // namespace unicni::cnitool
