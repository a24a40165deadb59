#include "target.h"

#include <filesystem>

#include "unicni/net/bus_device.h"
#include "unicni/net/device.h"

namespace unicni::host_device {

namespace {

bool is_of_programs(const std::string& driver) {
  return driver == "vfio-pci" || driver == "uio_pci_generic" || driver == "igb_uio";
}

}  // namespace

Target resolve(const HostDeviceOptions& options, const std::string& sysfs) {
  const std::string pci_devices = sysfs + "/bus/pci/devices/";
  const std::string auxiliary = sysfs + "/bus/auxiliary/devices/" + options.device_id;
  Target target{options.pci_bus_id, {}, options.dpdk_mode, "PCI device " + options.pci_bus_id};
  if (!options.device_id.empty()) {
    std::error_code error;
    const bool is_auxiliary = std::filesystem::exists(auxiliary, error) &&
                              !std::filesystem::exists(pci_devices + options.device_id, error);
    target.pci = is_auxiliary ? "" : options.device_id;
    target.folder = auxiliary;
    target.text = "device " + options.device_id + " (runtimeConfig.deviceID)";
  }
  if (!target.pci.empty()) {
    target.folder = pci_devices + target.pci;
    target.dpdk = is_of_programs(net::driver_of_device(target.folder));
  }
  if (!options.kernel_path.empty()) {
    target.folder = sysfs + options.kernel_path.substr(std::string_view("/sys").size());
    target.text = "device " + options.kernel_path;
  }
  if (options.hwaddr) {
    target.folder.clear();
    target.text = "the device with MAC " + options.hwaddr->str();
  }
  if (!options.device.empty()) {
    target.folder.clear();
    target.text = "device " + options.device;
  }
  if (!target.dpdk && target.folder != pci_devices + target.pci) target.pci.clear();
  return target;
}

std::optional<net::Link> find_target(net::Netlink& links, const HostDeviceOptions& options,
                                     const Target& target) {
  if (!target.folder.empty()) return net::find_link_of_device(links, target.folder);
  if (auto link = net::find_link(links, options.device)) return link;
  for (net::Link& link : net::list_links(links)) {
    const bool found = options.device.empty()
                           ? link.mac == options.hwaddr
                           : net::is_hardware(link) && link.alias == options.device;
    if (found) return std::move(link);
  }
  return std::nullopt;
}

bool is_target(const net::Link& link, const HostDeviceOptions& options, const Target& target) {
  if (link.alias.empty()) return false;
  if (!target.folder.empty()) return net::belongs_to_device(link, target.folder);
  if (!options.device.empty()) return link.alias == options.device;
  return options.hwaddr && (link.mac == options.hwaddr || link.permanent_mac == options.hwaddr);
}

}  // namespace unicni::host_device
