// A host with devices to give away: veth ends, whose other ends stay.
#pragma once

#include <string>
#include <vector>

#include "integration/host_test.h"

namespace unicni::test {

class HostDeviceTest : public HostTest {
 protected:
  static constexpr const char* kMac = "02:00:00:00:00:11";

  /// A device with settings of its own; "<name>-far" (of a long name its begin) is at its
  /// other end.
  static void make_device(const std::string& name = "h0", const std::string& mac = kMac) {
    const std::string far = name.substr(0, 11) + "-far";
    tool({"ip", "link", "add", name, "type", "veth", "peer", "name", far});
    tool({"ip", "link", "set", far, "up"});
    tool({"ip", "link", "set", name, "address", mac, "mtu", "1400", "alias", "uplink of " + name});
    tool({"ip", "link", "set", name, "promisc", "on", "up"});
  }
  static Json config(const std::string& changes = "{}") {
    Json config = Json::parse(R"({
      "cniVersion": "1.1.0", "name": "net", "type": "host-device", "device": "h0",
      "ipam": {"type": "host-local",
               "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]],
               "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}
    })");
    config.merge_patch(Json::parse(changes));
    return config;
  }
  /// `ip link set eth0 …` inside.
  void change_inside(const Attachment& job, const std::vector<std::string>& what,
                     const std::string& name = "eth0") {
    std::vector<std::string> argv = {"ip", "link", "set", name};
    argv.insert(argv.end(), what.begin(), what.end());
    container_of(job).run(argv);
  }
  /// All that a container may do to its device.
  void disguise(const Attachment& job) {
    change_inside(job, {"down"});
    change_inside(job, {"name", "mine"});
    change_inside(job, {"address", "02:00:00:00:00:99", "mtu", "1300", "alias", ""}, "mine");
    change_inside(job, {"promisc", "off"}, "mine");
  }
};

}  // namespace unicni::test
