// "device": a device of the host that was lent to the container. Undoing is a search, as the device
// may be in the container, on the host, in the initial namespace or in one that only a process
// holds, under any name.
#include "unicni/undo/device.h"

#include <fmt/core.h>
#include <sys/stat.h>

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/error.h"
#include "unicni/mac.h"
#include "unicni/sys/proc.h"

namespace unicni {

Undo undo_device(const net::Device& device) {
  const net::Link& was = device.was;
  return Undo{"device",
              1,
              false,
              {{"name", was.name},
               {"index", std::to_string(was.index)},
               {"kind", was.kind},
               {"alias", was.alias},
               {"mac", was.mac.str()},
               {"permanent_mac", was.permanent_mac ? was.permanent_mac->str() : ""},
               {"mtu", std::to_string(was.mtu)},
               {"up", was.up ? "1" : "0"},
               {"promisc", was.promisc ? "1" : "0"},
               {"bus", was.parent_bus},
               {"parent", was.parent},
               {"if_name", device.if_name},
               {"inside_index", std::to_string(device.inside_index)},
               {"netns", device.netns},
               {"netns_path", device.netns_path}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

class Search {
 public:
  Search(HostKernel& host, const net::Device& device) : host_(host), device_(device) {}

  // The namespace of the request, or if that is gone the path that ADD was given. It may be another
  // namespace's by now, hence the comparison of the identity in in_recorded().
  bool in_container() {
    const net::Netns* netns = host_.container_netns();
    if (netns != nullptr) return home_from(host_.container_links());
    return in_recorded(device_.netns_path);
  }
  bool on_host() {
    net::Netlink& links = host_.host_links();
    const auto link = net::find_device_at_home(links, device_);
    if (!link) return false;
    // Without the mark under its name: it never left, or whoever brought it home did it all.
    const bool at_rest = link->name == device_.was.name && link->alias != device_.was.name;
    if (!at_rest) tell(net::bring_device_home(links, *link, links, host_.host_netns(), device_));
    return true;
  }
  /// Differs from the host's where the host itself is a container. default_device_exit_net()
  bool in_initial_namespace() {
    auto links = other_namespace("/proc/1/ns/net");
    if (!links) return false;
    const auto link = net::find_device_at_home(*links, device_);
    return link && home_from(*links, *link);
  }
  /// The namespace lost its path but lives on, held by a process.
  bool in_any_process() {
    std::set<std::pair<dev_t, ino_t>> seen;
    for (const pid_t pid : sys::list_processes()) {
      const std::string path = fmt::format("/proc/{}/ns/net", pid);
      struct stat status {};
      if (::stat(path.c_str(), &status) != 0) continue;
      if (seen.emplace(status.st_dev, status.st_ino).second && in_recorded(path)) return true;
    }
    return false;
  }

 private:
  /// nullopt: the host's own, gone, something else today, or not for us to look into.
  std::optional<net::Netlink> other_namespace(const std::string& path) {
    try {
      const auto netns = net::Netns::open(path);
      if (!netns || netns->same_as(host_.host_netns())) return std::nullopt;
      return net::Netlink(*netns, host_.host_netns());
    } catch (const Error&) {
      return std::nullopt;
    }
  }
  bool in_recorded(const std::string& path) {
    auto links = other_namespace(path);
    return links && links->identity() == device_.netns && home_from(*links);
  }
  bool home_from(net::Netlink& from) {
    const auto link = net::find_device(from, device_);
    return link && home_from(from, *link);
  }
  bool home_from(net::Netlink& from, const net::Link& link) {
    tell(net::bring_device_home(from, link, host_.host_links(), host_.host_netns(), device_));
    return true;
  }
  void tell(const std::string& name) {
    if (const auto clash = net::clash_of(device_, name)) host_.log(LogLevel::warning, *clash);
  }

  HostKernel& host_;
  const net::Device& device_;
};

net::Device device_of(const Undo& record) {
  net::Device device;
  net::Link& was = device.was;
  was.name = field(record, "name");
  was.index = get_number<int>(record, "index");
  was.kind = field(record, "kind");
  was.alias = field(record, "alias");
  was.mac = Mac::parse(field(record, "mac")).value_or(Mac());
  was.permanent_mac = Mac::parse(field(record, "permanent_mac"));
  was.mtu = get_number(record, "mtu");
  was.up = field(record, "up") == "1";
  was.promisc = field(record, "promisc") == "1";
  was.parent_bus = field(record, "bus");
  was.parent = field(record, "parent");
  device.if_name = field(record, "if_name");
  device.inside_index = get_number<int>(record, "inside_index");
  device.netns = field(record, "netns");
  device.netns_path = field(record, "netns_path");
  return device;
}

void bring_home(HostKernel& host, const net::Device& device) {
  Search search(host, device);
  // The likely places first. Looking at every process costs most and finds what nothing else does.
  if (search.in_container() || search.on_host() || search.in_any_process()) return;
  if (!net::is_hardware(device.was) || search.in_initial_namespace()) return;
  // A worker of the kernel takes an ended namespace apart (cleanup_net()).
  constexpr std::chrono::seconds kPatience{2};
  constexpr std::chrono::milliseconds kPause{10};
  const auto end = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < end) {
    std::this_thread::sleep_for(kPause);
    if (search.on_host() || search.in_initial_namespace()) return;
  }
  host.log(LogLevel::warning,
           fmt::format("{} is nowhere to be found: unplugged, or in a namespace that has no path "
                       "and no process",
                       device.was.name));
}

Found find(const Undo& record, Undoing& undoing) {
  const net::Device device = device_of(record);
  const auto home = net::find_device_at_home(undoing.host.host_links(), device);
  // Under its name and without the mark: it never left, or it is back.
  if (home && home->name == device.was.name && home->alias != device.was.name) {
    return Found::absent;
  }
  if (home) return Found::ours;
  if (undoing.host.container_netns() == nullptr) return Found::absent;
  const auto inside = net::find_device(undoing.host.container_links(), device);
  return inside ? Found::ours : Found::absent;
}

void undo_one(const Undo& record, Undoing& undoing) { bring_home(undoing.host, device_of(record)); }

std::string describe(const Undo& record) {
  return fmt::format("device {} in the container", field(record, "name"));
}

}  // namespace

const UndoKind kDeviceKind = {"device", Turn::objects, &find, &each<undo_one>, &describe};

}  // namespace unicni::undo
