#include "config.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "unicni/error.h"
#include "unicni/link_options.h"

namespace unicni::host_device {

namespace {

constexpr Option kRows[] = {
    option<&HostDeviceOptions::device>("device", "name of the device on the host, such as eth1"),
    option<&HostDeviceOptions::hwaddr>(
        "hwaddr", "MAC address of the device; the first link with it is taken"),
    option<&HostDeviceOptions::kernel_path>(
        "kernelpath",
        "folder below /sys/devices/ that the device belongs to; the first link in it is taken"),
    option<&HostDeviceOptions::pci_bus_id>("pciBusID",
                                           "PCI address of the device, such as 0000:00:1f.6"),
    option<&HostDeviceOptions::dpdk_mode>(
        "dpdkMode",
        "leave the device to a userspace (DPDK) driver and move nothing; where a PCI address is "
        "given, the bound driver decides instead")
        .with_default("false"),
    option<&HostDeviceOptions::dns>("dns",
                                    "DNS settings for the result, in place of those from IPAM"),
    option<&HostDeviceOptions::device_id>("deviceID",
                                          "PCI address or auxiliary device name of the device, in "
                                          "place of pciBusID (capability \"deviceID\")")
        .from(OptionSource::runtime_config),
};

/// "0000:00:1f.6": domain, bus, device, function; a domain may have up to 8 digits.
bool is_pci_address(std::string_view text) {
  constexpr std::string_view kForm = "xxxxxxxx:xx:xx.x";
  if (text.size() + 4 < kForm.size() || text.size() > kForm.size()) return false;
  const std::string_view form = kForm.substr(kForm.size() - text.size());
  return std::equal(text.begin(), text.end(), form.begin(), [](char c, char wanted) {
    return wanted == 'x' ? std::isxdigit(static_cast<unsigned char>(c)) != 0 : c == wanted;
  });
}

/// "mlx5_core.sf.4": module, kind, number (auxiliary_device_init() in the kernel).
bool is_auxiliary_name(std::string_view text) {
  return !text.empty() && text.front() != '.' && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  });
}

}  // namespace

constinit const OptionTable kHostDeviceOptions = option_table<HostDeviceOptions>(kRows);

void validate(const HostDeviceOptions& options) {
  if (options.device.empty() && !options.hwaddr && options.kernel_path.empty() &&
      options.pci_bus_id.empty() && options.device_id.empty()) {
    throw Error(Code::invalid_config,
                R"(specify either "device", "hwaddr", "kernelpath" or "pciBusID")",
                "name the device by one of these keys, or by runtimeConfig.deviceID (capability "
                "\"deviceID\")");
  }
  const auto refuse = [](const std::string& key, const std::string& value, const char* allowed) {
    throw Error(Code::invalid_config, fmt::format("{}: \"{}\" names no device", key, value),
                allowed);
  };
  if (!options.device.empty()) require_link_name("device", options.device);
  require_interface_mac("hwaddr", options.hwaddr);
  const std::string& path = options.kernel_path;
  const bool leads_away = !path.starts_with("/sys/devices/") ||
                          (path + '/').find("/../") != std::string::npos ||
                          path.find('\0') != std::string::npos;
  if (!path.empty() && leads_away) {
    refuse("kernelpath", path, "write a path below /sys/devices/ without \"..\"");
  }
  if (!options.pci_bus_id.empty() && !is_pci_address(options.pci_bus_id)) {
    refuse("pciBusID", options.pci_bus_id, "write a PCI address as in 0000:00:1f.6");
  }
  const std::string& id = options.device_id;
  if (!id.empty() && !is_pci_address(id) && !is_auxiliary_name(id)) {
    refuse("runtimeConfig.deviceID", id,
           "write a PCI address as in 0000:00:1f.6, or an auxiliary device as in mlx5_core.sf.4");
  }
}

}  // namespace unicni::host_device
