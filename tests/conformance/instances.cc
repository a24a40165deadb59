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

Profile macvlan() {
  return {.type = "macvlan",
          .config = json(R"({"name": "conf", "type": "macvlan", "master": "up0",
                             "ipam": {"type": "host-local", "subnet": "10.1.2.0/24",
                                      "routes": [{"dst": "0.0.0.0/0"}]}})"),
          .reservations = "/var/lib/cni/networks/conf",
          .prepare = {{"ip", "link", "add", "up0", "type", "veth", "peer", "name", "far"},
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

INSTANTIATE_TEST_SUITE_P(Modules, PluginRules,
                         ::testing::Values(bridge(), macvlan(), loopback(), static_ipam(),
                                           host_local()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Modules, LinkRules, ::testing::Values(bridge(), macvlan(), loopback()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Modules, CreatingRules, ::testing::Values(bridge(), macvlan()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, PassThroughRules, ::testing::Values(loopback()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, DelegatingRules, ::testing::Values(bridge(), macvlan()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, IpamRules, ::testing::Values(static_ipam(), host_local()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Modules, ReservingRules,
                         ::testing::Values(bridge(), macvlan(), host_local()), name_of);

}  // namespace
}  // namespace unicni::conformance
