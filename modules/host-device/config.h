// The options of host-device: which device it is.
#pragma once

#include <optional>
#include <string>

#include "unicni/options.h"

namespace unicni::host_device {

struct HostDeviceOptions {
  std::string device;
  std::optional<Mac> hwaddr;
  std::string kernel_path;
  std::string pci_bus_id;
  bool dpdk_mode = false;
  DnsOptions dns;
  std::string device_id;  ///< runtimeConfig, from a device plugin of the kubelet
};

extern const OptionTable kHostDeviceOptions;

/// Throws Error(invalid_config): no device is named, or one in a way that could lead elsewhere than
/// to a device of sysfs.
void validate(const HostDeviceOptions& options);

}  // namespace unicni::host_device
