// dummy beside what the reference is documented to do (Debian's 1.1.1 has no dummy): the same end
// state but for what modules/dummy/README.md lists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/reference_model.h"

namespace unicni::test::dummy_differential_test {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

using Lines = std::vector<std::string>;

Json dummy(const std::string& ipam) {
  Json config = {{"cniVersion", "1.0.0"}, {"name", "net"}, {"type", "dummy"}};
  config["ipam"] = Json::parse(ipam);
  return config;
}

Json reference_dummy(const Attachment& job, const Container& container) {
  if (!job.config.contains("ipam")) return nullptr;
  container.run({"ip", "link", "add", job.if_name, "type", "dummy"});
  const Json result = model_ipam(job);
  model_configure(job, container, result);
  return model_result(job, container, result);
}

void expect_differences(Differential differential, const Lines& wanted) {
  differential.model = reference_dummy;
  const Differential::Lines found = differential.run();
  EXPECT_THAT(found.add, UnorderedElementsAreArray(wanted));
  EXPECT_THAT(found.del, IsEmpty());
}

const Lines kAlways = {"container sysctl ipv6/conf/eth0/accept_dad: -1 | 0"};
const Lines kIpv6 = {"container addr eth0 fd00:1:2::2/64 nodad: - | true",
                     "container sysctl ipv6/conf/eth0/accept_dad: -1 | 0",
                     "container sysctl ipv6/conf/eth0/ndisc_notify: 0 | 1"};

TEST(DummyDifferential, Plain) {
  expect_differences({.config = dummy(R"({"type": "host-local", "subnet": "10.1.2.0/24"})")},
                     kAlways);
}

TEST(DummyDifferential, DefaultRoute) {
  expect_differences({.config = dummy(R"({"type": "host-local", "subnet": "10.1.2.0/24",
                                          "routes": [{"dst": "0.0.0.0/0"}]})")},
                     kAlways);
}

TEST(DummyDifferential, Ipv6Only) {
  expect_differences({.config = dummy(R"({"type": "host-local", "subnet": "fd00:1:2::/64",
                                          "routes": [{"dst": "::/0"}]})")},
                     kIpv6);
}

TEST(DummyDifferential, DualStack) {
  expect_differences({.config = dummy(R"({"type": "host-local",
      "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]]})")},
                     kIpv6);
}

TEST(DummyDifferential, SingleAddress) {
  expect_differences(
      {.config = dummy(R"({"type": "static", "addresses": [{"address": "192.0.2.53/32"}]})")},
      kAlways);
}

TEST(DummyDifferential, TwoAddressesOfASubnet) {
  expect_differences({.config = dummy(R"({"type": "static", "addresses": [
      {"address": "10.1.2.5/24", "gateway": "10.1.2.1"}, {"address": "10.1.2.6/24"}]})")},
                     kAlways);
}

TEST(DummyDifferential, RoutesWithGatewayAndWithout) {
  expect_differences({.config = dummy(R"({"type": "static",
      "addresses": [{"address": "10.1.2.5/24"}],
      "routes": [{"dst": "192.168.0.0/16", "gw": "10.1.2.9"}, {"dst": "172.16.0.0/12"}]})")},
                     kAlways);
}

TEST(DummyDifferential, OtherInterfaceName) {
  expect_differences(
      {.config = dummy(R"({"type": "host-local", "subnet": "10.1.2.0/24"})"), .if_name = "any0"},
      {"container sysctl ipv6/conf/any0/accept_dad: -1 | 0"});
}

TEST(DummyDifferential, WithoutIpam) {
  expect_differences({.config = {{"cniVersion", "1.0.0"}, {"name", "net"}, {"type", "dummy"}}}, {});
}

TEST(DummyDifferential, DnsOfTheConfigurationCounts) {
  Json config = dummy(R"({"type": "host-local", "subnet": "10.1.2.0/24"})");
  config["dns"] = {{"nameservers", {"10.0.0.53"}}};
  expect_differences({.config = config}, {"container sysctl ipv6/conf/eth0/accept_dad: -1 | 0",
                                          "result dns nameservers 0: - | 10.0.0.53"});
}

}  // namespace
}  // namespace unicni::test::dummy_differential_test
