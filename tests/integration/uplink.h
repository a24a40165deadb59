// A parent for interfaces that hang on a link of the host, and the network behind it.
#pragma once

#include <string>

#include "integration/host_test.h"

namespace unicni::test {

/// One end of a veth on the host, UP; the other one, "far", is a machine outside with the addresses
/// 10.1.2.1/24 and fd00:1:2::1/64.
class Uplink {
 public:
  explicit Uplink(const std::string& name = "up0") : name_(name), outside_("outside-" + name) {
    tool({"ip", "link", "add", name, "type", "veth", "peer", "name", "far", "netns",
          outside_.path()});
    tool({"ip", "link", "set", name, "up"});
    outside_.run({"ip", "link", "set", "far", "up"});
    outside_.run({"ip", "addr", "add", "10.1.2.1/24", "dev", "far"});
    outside_.run({"ip", "addr", "add", "fd00:1:2::1/64", "dev", "far", "nodad"});
    // Before its own link-local address is there it doesn't hear multicasts (IF_READY).
    for (int i = 0; i < 100 && !outside_.succeeds({"sh", "-c", "ip -6 route | grep -q ^fe80"});
         ++i) {
    }
  }
  Uplink(const Uplink&) = delete;
  Uplink& operator=(const Uplink&) = delete;
  /// At once: with the end of the namespace alone it would go some time later.
  ~Uplink() { succeeds({"ip", "link", "del", name_}); }
  [[nodiscard]] const Container& outside() const { return outside_; }

 private:
  std::string name_;
  Container outside_;
};

/// IPAM for the network behind an uplink, both families, with default routes.
inline Json dual_stack_ipam() {
  return Json::parse(R"({
    "type": "host-local", "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]],
    "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]
  })");
}

/// `info_data` of a link: what its kind says of it.
inline Json kind_data(const std::string& link, int netns = -1) {
  const auto found = find_link(link, netns);
  return found ? found->at("linkinfo").value("info_data", Json()) : Json();
}

/// The ADD is refused, and neither host nor container differ from before; the error.
inline Json expect_refused_without_a_trace(const Attachment& job, int container,
                                           unsigned code = 0) {
  const Snapshot host = snapshot();
  const Snapshot inside = kernel_snapshot(container);
  Json error = expect_error(job.add(), code);
  EXPECT_EQ(difference(host, snapshot()), "");
  EXPECT_EQ(difference(inside, kernel_snapshot(container)), "");
  return error;
}

}  // namespace unicni::test
