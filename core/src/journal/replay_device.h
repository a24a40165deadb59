// The way home of a device that an attachment had.
#pragma once

#include "unicni/host.h"
#include "unicni/net/device.h"
#include "unicni/undo/records.h"

namespace unicni::journal {

/// The device of undo_device(). Throws Error.
net::Device device_of(const Undo& record);

/// Searches the device where it can be and brings it home: in the container's namespace (also if
/// the runtime doesn't name it any more), on the host, and, if it is hardware, in the initial
/// namespace, to which the kernel gives it back some time after the container's has ended. A link
/// that is nowhere, as it ended with its namespace or was unplugged, is fine. Throws Error.
void bring_home(Host& host, const net::Device& device);

}  // namespace unicni::journal
