// Devices of sysfs (PCI, auxiliary, virtio …) and the links that belong to them. sysfs(5).
#pragma once

#include <optional>
#include <string>

#include "unicni/net/link.h"

namespace unicni::net {

/// Whether `link` belongs to the device whose folder in sysfs is `folder`, or to its virtio device:
/// a virtio card is a PCI device, and its link the virtio device's.
bool belongs_to_device(const Link& link, const std::string& folder);
/// The first link that does. By rtnetlink, as /sys may be mounted for another namespace; the
/// folder's "net" is read for kernels that don't tell a link's parent (before 5.14), and believed
/// of links without one only.
std::optional<Link> find_link_of_device(Netlink&, const std::string& folder);
/// "vfio-pci" …; empty: none is bound, or there is no such device.
std::string driver_of_device(const std::string& folder);

}  // namespace unicni::net
