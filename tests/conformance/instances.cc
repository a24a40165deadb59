// Which rules each of our modules is held to.
#include "conformance/suite.h"

namespace unicni::conformance {
namespace {

Json json(const char* text) { return Json::parse(text); }

Profile bridge() {
  return {
      .type = "bridge",
      .config = json(
          R"({"name": "conf", "type": "bridge", "bridge": "conf0", "isDefaultGateway": true, "ipMasq": true,
                             "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}})"),
      .bridge = "conf0",
      .reservations = "/var/lib/cni/networks/conf",
      .small_pool =
          json(R"({"name": "conf", "type": "bridge", "bridge": "conf0", "isDefaultGateway": true,
                                 "ipam": {"type": "host-local", "subnet": "10.1.2.0/30"}})")};
}

Profile ptp() {
  return {.type = "ptp",
          .config = json(R"({"name": "conf", "type": "ptp", "ipMasq": true,
                             "ipam": {"type": "host-local", "subnet": "10.1.2.0/24",
                                      "routes": [{"dst": "0.0.0.0/0"}]}})"),
          .reservations = "/var/lib/cni/networks/conf",
          .small_pool = json(R"({"name": "conf", "type": "ptp",
                                 "ipam": {"type": "host-local", "subnet": "10.1.2.0/30"}})")};
}

Profile tap() {
  return {.type = "tap",
          .config = json(R"({"name": "conf", "type": "tap",
                             "ipam": {"type": "host-local", "subnet": "10.1.2.0/24",
                                      "routes": [{"dst": "0.0.0.0/0"}]}})"),
          .reservations = "/var/lib/cni/networks/conf",
          .small_pool = json(R"({"name": "conf", "type": "tap",
                                 "ipam": {"type": "host-local", "subnet": "10.1.2.0/30"}})")};
}

Profile macvlan() {
  return {.type = "macvlan",
          .config = json(R"({"name": "conf", "type": "macvlan", "master": "up0",
                             "ipam": {"type": "host-local", "subnet": "10.1.2.0/24",
                                      "routes": [{"dst": "0.0.0.0/0"}]}})"),
          .reservations = "/var/lib/cni/networks/conf",
          .host_commands = {{"ip", "link", "add", "up0", "type", "veth", "peer", "name", "far"},
                            {"ip", "link", "set", "up0", "up"},
                            {"ip", "link", "set", "far", "up"}},
          .small_pool = json(R"({"name": "conf", "type": "macvlan", "master": "up0",
                                 "ipam": {"type": "host-local", "subnet": "10.1.2.0/30"}})")};
}

Profile loopback() {
  return {.type = "loopback",
          .config = json(R"({"name": "conf", "type": "loopback"})"),
          .if_name = "lo"};
}

/// One device an attachment, and a spare one for calls without a container.
void make_device(Attachment& job) {
  const auto make = [](const std::string& name) {
    if (test::find_link(name)) return;
    test::tool({"ip", "link", "add", name, "type", "veth", "peer", "name", name + "-far"});
  };
  make("confdev");
  if (job.netns.empty()) return;
  // Never a name again: what went with a namespace is there for some time yet.
  static int made = 0;
  job.config["device"] = "confdev" + std::to_string(++made);
  make(job.config["device"]);
}

Profile host_device() {
  return {.type = "host-device",
          .config = json(
              R"({"name": "conf", "type": "host-device", "device": "confdev",
                             "ipam": {"type": "host-local", "subnet": "10.1.2.0/24", "routes": [{"dst": "0.0.0.0/0"}]}})"),
          .reservations = "/var/lib/cni/networks/conf",
          .small_pool = json(R"({"name": "conf", "type": "host-device", "device": "confdev",
                                 "ipam": {"type": "host-local", "subnet": "10.1.2.0/30"}})"),
          .prepare = &make_device,
          .given_away = "confdev"};
}

/// What flanneld leaves on a node; a second one whose subnet has one address to give.
void write_subnet_env(Attachment&) {
  const auto write = [](const char* path, const char* subnet) {
    test::write_file(path, std::string("FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=") + subnet +
                               "\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n");
  };
  test::tool({"mkdir", "-p", "/run/flannel"});
  write("/run/flannel/subnet.env", "10.1.2.1/24");
  write("/run/flannel/small.env", "10.1.2.1/30");
}

Profile flannel() {
  return {.type = "flannel",
          .config = json(R"({"name": "conf", "type": "flannel",
                             "delegate": {"bridge": "conf0", "isDefaultGateway": true}})"),
          .bridge = "conf0",
          .reservations = "/var/lib/cni/networks/conf",
          .small_pool = json(R"({"name": "conf", "type": "flannel",
                                 "subnetFile": "/run/flannel/small.env",
                                 "delegate": {"bridge": "conf0", "isDefaultGateway": true}})"),
          .prepare = &write_subnet_env,
          .rewrites = true};
}

Profile static_ipam() {
  return {.type = "static", .config = json(R"({"name": "conf", "type": "anything",
                             "ipam": {"type": "static", "addresses": [{"address": "10.1.2.3/24", "gateway": "10.1.2.1"}],
                                      "routes": [{"dst": "0.0.0.0/0"}]}})")};
}

Profile host_local() {
  return {.type = "host-local",
          .config = json(R"({"name": "conf", "type": "anything",
                             "ipam": {"type": "host-local", "routes": [{"dst": "0.0.0.0/0"}],
                                      "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]]}})"),
          .reservations = "/var/lib/cni/networks/conf",
          .small_pool = json(R"({"name": "conf", "type": "anything",
                                 "ipam": {"type": "host-local", "subnet": "10.1.2.0/30"}})")};
}

/// Chained plugins need one before them: a list in one process.
Profile list() {
  return {.type = "unicni",
          .config = json(R"({"name": "conf", "type": "unicni", "plugins": [
             {"type": "bridge", "bridge": "conf0", "isGateway": true,
              "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}},
             {"type": "tuning", "mtu": 1400, "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}},
             {"type": "portmap"}, {"type": "firewall"}]})"),
          .bridge = "conf0",
          .reservations = "/var/lib/cni/networks/conf"};
}

Profile tuning() {
  return {.type = "tuning", .config = json(R"({"name": "conf", "type": "tuning"})")};
}

Profile bandwidth() {
  return {.type = "bandwidth", .config = json(R"({"name": "conf", "type": "bandwidth"})")};
}

Profile portmap() {
  return {.type = "portmap", .config = json(R"({"name": "conf", "type": "portmap"})")};
}

INSTANTIATE_TEST_SUITE_P(Modules, PluginRules,
                         ::testing::Values(bridge(), ptp(), tap(), macvlan(), loopback(),
                                           host_device(), flannel(), static_ipam(), host_local(),
                                           list()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Modules, LinkRules,
                         ::testing::Values(bridge(), ptp(), tap(), macvlan(), loopback(),
                                           host_device(), flannel()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Modules, CreatingRules,
                         ::testing::Values(bridge(), ptp(), tap(), macvlan(), host_device(),
                                           flannel()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Modules, PassThroughRules,
                         ::testing::Values(loopback(), tuning(), bandwidth(), portmap()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, DelegatingRules,
                         ::testing::Values(bridge(), ptp(), tap(), macvlan(), host_device(),
                                           flannel()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Modules, IpamRules, ::testing::Values(static_ipam(), host_local()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Modules, ReservingRules,
                         ::testing::Values(bridge(), ptp(), tap(), macvlan(), host_device(),
                                           flannel(), host_local()),
                         name_of);

}  // namespace
}  // namespace unicni::conformance
