// Which link of the host the configuration means.
#pragma once

#include <optional>
#include <string>

#include "config.h"
#include "unicni/net/link.h"

namespace unicni::host_device {

struct Target {
  std::string pci;     ///< PCI address, if that is what names it
  std::string folder;  ///< of the device in sysfs; empty: "device" or "hwaddr" name the link
  bool dpdk = false;   ///< a program drives it: there is no link to move
  std::string text;    ///< "device h0", "PCI device 0000:00:1f.6"
};

/// Asks nothing but `sysfs`, and is right also about a device that isn't there.
Target resolve(const HostDeviceOptions& options, const std::string& sysfs = "/sys");

/// By the first that is given: device, hwaddr, kernelpath, PCI address, auxiliary device. A card
/// that the kernel gave back when its container's namespace ended has another name, and its old one
/// as alias: "device" finds it, too.
std::optional<net::Link> find_target(net::Netlink& links, const HostDeviceOptions& options,
                                     const Target& target);

/// Whether a marked link is what the configuration names.
bool is_target(const net::Link& link, const HostDeviceOptions& options, const Target& target);

}  // namespace unicni::host_device
