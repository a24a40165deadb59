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

Profile loopback() {
  return {.type = "loopback",
          .config = json(R"({"name": "conf", "type": "loopback"})"),
          .if_name = "lo"};
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
             {"type": "tuning", "mtu": 1400, "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}}]})"),
          .bridge = "conf0",
          .reservations = "/var/lib/cni/networks/conf"};
}

Profile tuning() {
  return {.type = "tuning", .config = json(R"({"name": "conf", "type": "tuning"})")};
}

Profile bandwidth() {
  return {.type = "bandwidth", .config = json(R"({"name": "conf", "type": "bandwidth"})")};
}

INSTANTIATE_TEST_SUITE_P(Modules, PluginRules,
                         ::testing::Values(bridge(), loopback(), static_ipam(), host_local(),
                                           list()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Modules, LinkRules, ::testing::Values(bridge(), loopback()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, CreatingRules, ::testing::Values(bridge()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, PassThroughRules,
                         ::testing::Values(loopback(), tuning(), bandwidth()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, DelegatingRules, ::testing::Values(bridge()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, IpamRules, ::testing::Values(static_ipam(), host_local()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Modules, ReservingRules, ::testing::Values(bridge(), host_local()),
                         name_of);

}  // namespace
}  // namespace unicni::conformance
