#include "unicni/net/bus_device.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "unicni/sys/file.h"

namespace unicni::net {
namespace {

/// The last part of what a link of sysfs leads to: "driver", "subsystem". Empty if there is none.
std::string end_of_link(const std::string& path) {
  std::error_code error;
  return std::filesystem::read_symlink(path, error).filename().string();
}

std::string name_of(const std::string& folder) {
  return std::filesystem::path(folder).lexically_normal().filename().string();
}

/// A PCI network card of a virtual machine is two devices: the PCI one, and below it the virtio one
/// that the link belongs to.
std::vector<std::string> with_virtio(const std::string& folder) {
  std::vector<std::string> folders{folder};
  for (const std::string& name : sys::list_folder(folder)) {
    if (name.starts_with("virtio")) folders.push_back(folder + '/' + name);
  }
  return folders;
}

}  // namespace

bool belongs_to_device(const Link& link, const std::string& folder) {
  const auto folders = with_virtio(folder);
  return !link.parent.empty() &&
         std::any_of(folders.begin(), folders.end(), [&](const std::string& each) {
           return name_of(each) == link.parent &&
                  end_of_link(each + "/subsystem") == link.parent_bus;
         });
}

/// By rtnetlink first: /sys shows the links of the namespace that it was mounted in, which need not
/// be ours.
std::optional<Link> find_link_of_device(Netlink& links, const std::string& folder) {
  for (Link& link : list_links(links)) {
    if (belongs_to_device(link, folder)) return std::move(link);
  }
  for (const std::string& each : with_virtio(folder)) {
    auto names = sys::list_folder(each + "/net");
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) {
      auto link = find_link(links, name);
      if (link && link->parent.empty()) return link;
    }
  }
  return std::nullopt;
}

/// Empty for a device without a driver, as one that is about to be given to a program.
std::string driver_of_device(const std::string& folder) { return end_of_link(folder + "/driver"); }

}  // namespace unicni::net
