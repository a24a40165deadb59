// ptp beside Debian's: the same end state but for what modules/ptp/README.md lists.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "integration/differential.h"

namespace unicni::test::ptp_differential_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

using Lines = std::vector<std::string>;

Json ptp(const std::string& changes) {
  Json config = Json::parse(R"({
    "cniVersion": "1.0.0", "name": "net", "type": "ptp",
    "ipam": {"type": "host-local", "subnet": "10.1.2.0/24", "routes": [{"dst": "0.0.0.0/0"}]}
  })");
  config.merge_patch(Json::parse(changes));
  return config;
}

Json static_ptp(const std::string& addresses) {
  return ptp(R"({"ipam": {"type": "static", "subnet": null, "addresses": )" + addresses + "}}");
}

/// Every ADD: whose link it is, and what Debian's 1.1.1 does unlike the reference of today.
const Lines kAlways = {
    "container link eth0 txqlen: - | 1000",
    "container sysctl ipv6/conf/eth0/accept_dad: 1 | 0",
    "host link veth1 ifalias: - | net/c1/eth0",
    "host link veth1 txqlen: - | 1000",
};
/// Results of 1.0.0: an empty "dns" is left out since 1.9.
const Lines kEmptyDns = {"result dns: {} | -"};
/// An IPv6 address is usable at once, and announced when its link goes UP again.
const Lines kIpv6 = {
    "container addr eth0 fd00:1:2::2/64 nodad: - | true",
    "container sysctl ipv6/conf/eth0/keep_addr_on_down: 0 | 1",
    "container sysctl ipv6/conf/eth0/ndisc_notify: 0 | 1",
    "host addr veth1 fd00:1:2::1/128 nodad: - | true",
};

Lines together(std::initializer_list<Lines> lists) {
  Lines all;
  for (const Lines& list : lists) all.insert(all.end(), list.begin(), list.end());
  return all;
}

void expect_differences(const Differential& differential, const Lines& wanted) {
  const Differential::Lines found = differential.run();
  EXPECT_THAT(found.add, UnorderedElementsAreArray(wanted));
  EXPECT_THAT(found.del, IsEmpty());
}

constexpr const char* kDual = R"({"ipam": {
  "subnet": null, "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}],
  "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]]
}})";

TEST(PtpDifferential, Plain) {
  expect_differences({.config = ptp("{}")}, together({kAlways, kEmptyDns}));
}

TEST(PtpDifferential, EveryOlderVersion) {
  for (const char* version : {"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0"}) {
    SCOPED_TRACE(version);
    expect_differences({.config = with_version(ptp("{}"), version)}, kAlways);
  }
}

TEST(PtpDifferential, DualStack) {
  expect_differences({.config = ptp(kDual)}, together({kAlways, kEmptyDns, kIpv6}));
}

TEST(PtpDifferential, Ipv6Only) {
  expect_differences(
      {.config = ptp(R"({"ipam": {"subnet": "fd00:1:2::/64", "routes": [{"dst": "::/0"}]}})")},
      together({kAlways, kEmptyDns, kIpv6}));
}

TEST(PtpDifferential, MtuAndMasquerade) {
  expect_differences({.config = ptp(R"({"mtu": 1400, "ipMasq": true})")},
                     together({kAlways, kEmptyDns}));
}

TEST(PtpDifferential, MasqueradeByIptables) {
  expect_differences({.config = ptp(R"({"ipMasq": true, "ipMasqBackend": "iptables"})")},
                     together({kAlways, kEmptyDns}));
}

TEST(PtpDifferential, DnsOfTheConfiguration) {
  expect_differences(
      {.config = ptp(R"({"dns": {"nameservers": ["10.0.0.53"], "search": ["example.net"]}})")},
      kAlways);
}

TEST(PtpDifferential, RoutesWithTableMetricAndGatewayOfTheSubnet) {
  expect_differences({.config = ptp(R"({"ipam": {"routes": [
                        {"dst": "192.168.0.0/16", "gw": "10.1.2.9"}, {"dst": "172.16.0.0/12"}]}})")},
                     together({kAlways, kEmptyDns}));
}

TEST(PtpDifferential, WithoutRoutes) {
  expect_differences({.config = ptp(R"({"ipam": {"routes": null}})")},
                     together({kAlways, kEmptyDns}));
}

TEST(PtpDifferential, OtherInterfaceName) {
  Differential other{.config = ptp("{}"), .if_name = "net1"};
  const Differential::Lines found = other.run();
  EXPECT_THAT(found.add, UnorderedElementsAreArray(
                             {"container link net1 txqlen: - | 1000",
                              "container sysctl ipv6/conf/net1/accept_dad: 1 | 0",
                              "host link veth1 ifalias: - | net/c1/net1",
                              "host link veth1 txqlen: - | 1000", "result dns: {} | -"}));
  EXPECT_THAT(found.del, IsEmpty());
}

TEST(PtpDifferential, SubnetOfTwoAddresses) {
  expect_differences(
      {.config = static_ptp(R"([{"address": "10.1.2.4/31", "gateway": "10.1.2.5"}])")},
      together({kAlways, kEmptyDns}));
}

TEST(PtpDifferential, AddressesOfTwoSubnets) {
  expect_differences({.config = static_ptp(R"([{"address": "10.1.2.4/24", "gateway": "10.1.2.1"},
                                               {"address": "10.1.3.4/24", "gateway": "10.1.3.1"}])")},
                     together({kAlways, kEmptyDns}));
}

TEST(PtpDifferential, HostForwardsAlready) {
  Differential differential{.config = ptp(kDual)};
  differential.prepare = [](const Container&, Json&) {
    tool({"sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"});
  };
  expect_differences(differential, together({kAlways, kEmptyDns, kIpv6}));
}

// What the reference can't do.

TEST(PtpDifferential, SingleAddressWithAGatewayElsewhere) {
  expect_differences(
      {.config = static_ptp(R"([{"address": "10.1.2.5/32", "gateway": "169.254.1.1"}])")},
      {"result: refused | ok"});
}

TEST(PtpDifferential, TwoAddressesWithOneGateway) {
  expect_differences({.config = static_ptp(R"([{"address": "10.1.2.4/24", "gateway": "10.1.2.1"},
                                               {"address": "10.1.2.5/24", "gateway": "10.1.2.1"}])")},
                     {"result: refused | ok"});
}

// What neither does: but the reference has turned forwarding on by then.
TEST(PtpDifferential, AddressWithoutGateway) {
  const Differential::Lines found =
      Differential{.config = static_ptp(R"([{"address": "10.1.2.4/24"}])")}.run();
  EXPECT_THAT(found.add, IsEmpty());
  EXPECT_THAT(found.del, ElementsAre("host sysctl ipv4/conf/all/accept_redirects: 0 | 1",
                                     "host sysctl ipv4/conf/all/forwarding: 1 | 0",
                                     "host sysctl ipv4/conf/lo/forwarding: 1 | 0",
                                     "host sysctl ipv4/ip_forward: 1 | 0"));
}

// Nor this: but the reference's DEL fails as well.
TEST(PtpDifferential, WithoutIpam) {
  const Differential::Lines found = Differential{.config = ptp(R"({"ipam": null})")}.run();
  EXPECT_THAT(found.add, IsEmpty());
  EXPECT_THAT(found.del, ElementsAre("result: refused | ok"));
}

}  // namespace
}  // namespace unicni::test::ptp_differential_test
