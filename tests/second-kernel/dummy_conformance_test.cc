// dummy is held to the rules of the CNI spec.
#include "conformance/suite.h"

namespace unicni::conformance::dummy_conformance_test {
namespace {

Profile dummy() {
  return {.type = "dummy",
          .config = Json::parse(R"({"name": "conf", "type": "dummy",
                                    "ipam": {"type": "host-local", "subnet": "10.1.2.0/24",
                                             "routes": [{"dst": "0.0.0.0/0"}]}})"),
          .reservations = "/var/lib/cni/networks/conf",
          .small_pool = Json::parse(R"({"name": "conf", "type": "dummy",
                                        "ipam": {"type": "host-local", "subnet": "10.1.2.0/30"}})")};
}

INSTANTIATE_TEST_SUITE_P(Modules, PluginRules, ::testing::Values(dummy()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, LinkRules, ::testing::Values(dummy()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, CreatingRules, ::testing::Values(dummy()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, DelegatingRules, ::testing::Values(dummy()), name_of);
INSTANTIATE_TEST_SUITE_P(Modules, ReservingRules, ::testing::Values(dummy()), name_of);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PassThroughRules);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(IpamRules);

}  // namespace
}  // namespace unicni::conformance::dummy_conformance_test
