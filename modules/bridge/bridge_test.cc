#include <gtest/gtest.h>

#include "base/error_for_test.h"
#include "config.h"
#include "gateway.h"
#include "unicni/error.h"
#include "vlan.h"

namespace unicni::bridge::bridge_test {
namespace {

IpConfig ip(const char* address, const char* gateway = "") {
  IpConfig config;
  config.address = *IpNet::parse(address);
  config.gateway = IpAddress::parse(gateway);
  return config;
}

Route route(const char* dst, const char* gw = "") {
  Route entry;
  entry.dst = *IpNet::parse(dst);
  entry.gw = IpAddress::parse(gw);
  return entry;
}

BridgeOptions good() {
  BridgeOptions options;
  options.bridge = "cni0";
  return options;
}

std::string refusal(const BridgeOptions& options, bool has_ipam = true) {
  return refusal_of([&] { validate(options, has_ipam); });
}

TEST(BridgeOptions, AcceptsTheDefaults) { EXPECT_EQ(refusal(good()), ""); }

TEST(BridgeOptions, RefusesNamesThatAreNoLink) {
  for (const char* name : {"", ".", "..", "a/b", "a:b", "a b", "sixteen-bytes-xx", "br%d"}) {
    BridgeOptions options = good();
    options.bridge = name;
    EXPECT_NE(refusal(options).find("no name for a link"), std::string::npos) << name;
  }
}

TEST(BridgeOptions, HairpinAndPromiscExcludeEachOther) {
  BridgeOptions options = good();
  options.hairpin_mode = true;
  EXPECT_EQ(refusal(options), "");
  options.promisc_mode = true;
  EXPECT_NE(refusal(options).find("hairpinMode and promiscMode"), std::string::npos);
}

TEST(BridgeOptions, RefusesAMtuBelowIpv4Minimum) {
  BridgeOptions options = good();
  options.mtu = 67;
  EXPECT_NE(refusal(options), "");
  options.mtu = 68;
  EXPECT_EQ(refusal(options), "");
}

TEST(BridgeOptions, RefusesAMacThatNoInterfaceCanHave) {
  BridgeOptions options = good();
  options.cni_args_mac = Mac::parse("01:00:5e:00:00:01");
  EXPECT_NE(refusal(options), "");
  options.cni_args_mac = Mac();
  EXPECT_NE(refusal(options), "");
}

TEST(BridgeOptions, AnInterfaceLeftDownCantHaveAddresses) {
  BridgeOptions options = good();
  options.disable_container_interface = true;
  EXPECT_EQ(refusal(options, false), "");
  EXPECT_EQ(refusal(options), "cannot use IPAM when DisableContainerInterface flag is set");
}

TEST(BridgeOptions, TheVlansGatewayNeedsAName) {
  BridgeOptions options = good();
  options.bridge = "a-long-bridge";  // 13 bytes
  options.vlan = 100;
  EXPECT_EQ(refusal(options), "") << "no gateway, no interface";
  options.is_gateway = true;
  EXPECT_NE(refusal(options).find("a-long-bridge.100"), std::string::npos);
  options.vlan = 1;
  EXPECT_EQ(refusal(options), "");
}

VlanTrunk trunk(std::optional<std::int64_t> min, std::optional<std::int64_t> max,
                std::optional<std::int64_t> id = {}) {
  return {min, max, id};
}

BridgeOptions with_trunk(std::vector<VlanTrunk> items, std::int64_t vlan = 0) {
  BridgeOptions options = good();
  options.vlan = vlan;
  options.vlan_trunk = std::move(items);
  return options;
}

TEST(VlanTrunkList, IsTheSortedSetOfItsItems) {
  using Vlans = std::vector<std::uint16_t>;
  EXPECT_EQ(trunk_vlans(good()), Vlans());
  EXPECT_EQ(trunk_vlans(with_trunk({})), Vlans());
  EXPECT_EQ(trunk_vlans(with_trunk(
                {trunk(200, 202), trunk({}, {}, 101), trunk({}, {}), trunk(201, 203, 5)})),
            Vlans({5, 101, 200, 201, 202, 203}));
  EXPECT_EQ(trunk_vlans(with_trunk({trunk(7, 7)})), Vlans({7}));
}

TEST(VlanTrunkList, HalfARangeIsRefusedNamingTheItem) {
  EXPECT_EQ(refusal(with_trunk({trunk({}, {}, 1), trunk(2, {})})),
            "vlanTrunk[1]: minID and maxID should be configured simultaneously, maxID is missing");
  EXPECT_NE(refusal(with_trunk({trunk({}, 2)})).find("minID is missing"), std::string::npos);
  EXPECT_NE(refusal(with_trunk({trunk(3, 2)})).find("minID 3 is greater than maxID 2"),
            std::string::npos);
}

TEST(VlanTrunkList, AnEmptyListStillWantsAFilteringBridge) {
  EXPECT_FALSE(good().wants_vlans());
  EXPECT_TRUE(with_trunk({}).wants_vlans());
  BridgeOptions options = good();
  options.vlan = 5;
  EXPECT_TRUE(options.wants_vlans());
}

TEST(PortVlans, UntaggedOneFirstThenRanges) {
  using net::PortVlan;
  using Vlans = std::vector<PortVlan>;
  EXPECT_EQ(port_vlans(good()), Vlans());
  EXPECT_EQ(port_vlans(with_trunk({})), Vlans());
  EXPECT_EQ(port_vlans(with_trunk({}, 100)), Vlans({{100, 100, true, true}}));
  EXPECT_EQ(port_vlans(with_trunk({trunk(200, 202, 101)})),
            Vlans({{1, 1, true, true}, {101, 101}, {200, 202}}));
  EXPECT_EQ(port_vlans(with_trunk({trunk(99, 101), trunk({}, {}, 4094)}, 100)),
            Vlans({{99, 99}, {100, 100, true, true}, {101, 101}, {4094, 4094}}))
      << "the untagged one isn't in a range";
}

TEST(BridgeOptions, RuntimeConfigMacBeatsArgsBeatsCniArgs) {
  BridgeOptions options = good();
  EXPECT_FALSE(options.mac());
  options.cni_args_mac = Mac::parse("02:00:00:00:00:01");
  EXPECT_EQ(options.mac()->str(), "02:00:00:00:00:01");
  options.args_mac = Mac::parse("02:00:00:00:00:02");
  EXPECT_EQ(options.mac()->str(), "02:00:00:00:00:02");
  options.runtime_mac = Mac::parse("02:00:00:00:00:03");
  EXPECT_EQ(options.mac()->str(), "02:00:00:00:00:03");
}

TEST(Gateway, MissingOnesAreTheFirstAddressOfTheSubnet) {
  Result result;
  result.ips = {ip("10.1.2.9/24"), ip("10.3.0.5/16", "10.3.0.200"), ip("fd00::9/64")};
  default_gateways(result);
  EXPECT_EQ(result.ips[0].gateway->str(), "10.1.2.1");
  EXPECT_EQ(result.ips[1].gateway->str(), "10.3.0.200");
  EXPECT_EQ(result.ips[2].gateway->str(), "fd00::1");
}

TEST(Gateway, OfAPairIsTheOtherAddress) {
  Result result;
  result.ips = {ip("10.1.2.4/31"), ip("10.1.2.5/31"), ip("fd00::2/127"), ip("fd00::3/127")};
  default_gateways(result);
  EXPECT_EQ(result.ips[0].gateway->str(), "10.1.2.5");
  EXPECT_EQ(result.ips[1].gateway->str(), "10.1.2.4");
  EXPECT_EQ(result.ips[2].gateway->str(), "fd00::3");
  EXPECT_EQ(result.ips[3].gateway->str(), "fd00::2");
}

TEST(Gateway, ASubnetOfOneAddressHasNone) {
  for (const char* alone : {"10.1.2.9/32", "fd00::9/128"}) {
    Result result;
    result.ips = {ip(alone)};
    try {
      default_gateways(result);
      ADD_FAILURE() << alone;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), 7U);
      EXPECT_NE(error.msg().find(alone), std::string::npos) << error.msg();
    }
  }
}

TEST(Gateway, OneThatTheContainerCantReachByTheBridgeIsRefused) {
  Result result;
  result.ips = {ip("10.1.2.9/24", "10.1.2.1"), ip("fd00::9/64", "fe80::1"), ip("10.2.0.0/31")};
  default_gateways(result);
  EXPECT_NO_THROW(require_reachable(result));
  for (const IpConfig& bad : {ip("10.1.2.9/24", "192.168.1.1"), ip("fd00::9/64", "fd00:1::1"),
                              ip("10.1.2.9/32", "10.1.2.1"), ip("10.1.2.9/24", "10.1.2.9")}) {
    Result wrong;
    wrong.ips = {ip("10.1.2.9/24", "10.1.2.1"), bad};
    try {
      require_reachable(wrong);
      ADD_FAILURE() << bad.gateway->str();
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_config));
      EXPECT_NE(error.msg().find("gateway: " + bad.gateway->str()), std::string::npos);
    }
  }
}

TEST(Gateway, DefaultRouteOncePerFamily) {
  Result result;
  result.ips = {ip("10.1.2.9/24", "10.1.2.1"), ip("10.3.0.5/16", "10.3.0.1"),
                ip("fd00::9/64", "fd00::1")};
  add_default_routes(result);
  ASSERT_EQ(result.routes.size(), 2U);
  EXPECT_EQ(result.routes[0], route("0.0.0.0/0", "10.1.2.1"));
  EXPECT_EQ(result.routes[1], route("::/0", "fd00::1"));
}

TEST(Gateway, IpamsOwnDefaultRouteIsCompletedNotDoubled) {
  Result result;
  result.ips = {ip("10.1.2.9/24", "10.1.2.1")};
  result.routes = {route("0.0.0.0/0")};
  add_default_routes(result);
  ASSERT_EQ(result.routes.size(), 1U);
  EXPECT_EQ(result.routes[0].gw->str(), "10.1.2.1");

  result.routes = {route("0.0.0.0/0", "10.1.2.254")};
  add_default_routes(result);
  ASSERT_EQ(result.routes.size(), 1U);
  EXPECT_EQ(result.routes[0].gw->str(), "10.1.2.254");
}

TEST(Gateway, AddressesOfOneSubnetShareTheGateway) {
  Result result;
  result.ips = {ip("10.1.2.9/24", "10.1.2.1"), ip("10.1.2.10/24", "10.1.2.1"), ip("10.9.0.1/24")};
  const auto gateways = gateways_of(result);
  ASSERT_EQ(gateways.size(), 1U);
  EXPECT_EQ(gateways[0].str(), "10.1.2.1/24");
}

std::vector<IpNet> nets(std::initializer_list<const char*> texts) {
  std::vector<IpNet> found;
  for (const char* text : texts) found.push_back(*IpNet::parse(text));
  return found;
}

TEST(Gateway, AnAddressThatIsThereNeedsNoChange) {
  const auto plan =
      plan_gateways("br", nets({"10.1.2.1/24", "fe80::1/64"}), nets({"10.1.2.1/24"}), false);
  EXPECT_TRUE(plan.add.empty());
  EXPECT_TRUE(plan.remove.empty());
}

TEST(Gateway, AnotherIpv4AddressIsNamedWithTheCommandThatRemovesIt) {
  try {
    plan_gateways("br", nets({"10.9.0.1/16"}), nets({"10.1.2.1/24"}), false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.msg().find("10.9.0.1/16"), std::string::npos);
    EXPECT_NE(error.details().find("ip addr del 10.9.0.1/16 dev br"), std::string::npos);
  }
}

TEST(Gateway, ForceReplacesTheOtherAddress) {
  const auto plan =
      plan_gateways("br", nets({"10.9.0.1/16", "fd00::1/64"}), nets({"10.1.2.1/24"}), true);
  EXPECT_EQ(plan.add, nets({"10.1.2.1/24"}));
  EXPECT_EQ(plan.remove, nets({"10.9.0.1/16"}));
}

TEST(Gateway, Ipv6SubnetsMayStandSideBySideUnlessTheyOverlap) {
  EXPECT_NO_THROW(
      plan_gateways("br", nets({"fd00:1::1/64", "fe80::1/64"}), nets({"fd00:2::1/64"}), false));
  EXPECT_THROW(plan_gateways("br", nets({"fd00:1::1/64"}), nets({"fd00:1::2/48"}), false), Error);
}

}  // namespace
}  // namespace unicni::bridge::bridge_test
