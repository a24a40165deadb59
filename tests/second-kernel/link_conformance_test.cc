// The rules of the CNI spec for the modules whose kinds of link the host's kernel may lack.
#include "conformance/suite.h"

namespace unicni::conformance::link_conformance_test {
namespace {

Profile on_parent(const std::string& type) {
  Json config = Json::parse(R"({"name": "conf", "master": "up0",
                                "ipam": {"type": "host-local", "subnet": "10.1.2.0/24",
                                         "routes": [{"dst": "0.0.0.0/0"}]}})");
  config["type"] = type;
  if (type == "vlan") config["vlanId"] = 7;
  return {.type = type,
          .config = config,
          .reservations = "/var/lib/cni/networks/conf",
          .host_commands = {{"ip", "link", "add", "up0", "up", "type", "dummy"}}};
}

INSTANTIATE_TEST_SUITE_P(Modules, PluginRules,
                         ::testing::Values(on_parent("ipvlan"), on_parent("vlan")), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, LinkRules,
                         ::testing::Values(on_parent("ipvlan"), on_parent("vlan")), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, CreatingRules,
                         ::testing::Values(on_parent("ipvlan"), on_parent("vlan")), name_of);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PassThroughRules);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(DelegatingRules);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(IpamRules);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ReservingRules);

}  // namespace
}  // namespace unicni::conformance::link_conformance_test
