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
    option<&HostDeviceOptions::device>("device", "name on the host, such as eth1"),
    option<&HostDeviceOptions::hwaddr>("hwaddr", "MAC; the first link that has it"),
    option<&HostDeviceOptions::kernel_path>(
        "kernelpath", "its folder below /sys/devices/; the first link that belongs to it"),
    option<&HostDeviceOptions::pci_bus_id>("pciBusID", "PCI address, such as 0000:00:1f.6"),
    option<&HostDeviceOptions::dpdk_mode>(
        "dpdkMode",
        "a program drives the device: nothing is moved; with a PCI address its driver decides")
        .with_default("false"),
    option<&HostDeviceOptions::dns>("dns", "DNS settings of the result; replaces IPAM's"),
    option<&HostDeviceOptions::device_id>(
        "deviceID", "PCI address or name of an auxiliary device; replaces pciBusID")
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
                "or have the runtime send runtimeConfig.deviceID (capability deviceID)");
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
    refuse("kernelpath", path, "a path below /sys/devices/ without \"..\"");
  }
  if (!options.pci_bus_id.empty() && !is_pci_address(options.pci_bus_id)) {
    refuse("pciBusID", options.pci_bus_id, "a PCI address as in 0000:00:1f.6");
  }
  const std::string& id = options.device_id;
  if (!id.empty() && !is_pci_address(id) && !is_auxiliary_name(id)) {
    refuse("runtimeConfig.deviceID", id,
           "a PCI address as in 0000:00:1f.6, or an auxiliary device as in mlx5_core.sf.4");
  }
}

}  // namespace unicni::host_device
