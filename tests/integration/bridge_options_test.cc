// Each option of bridge does in the kernel what it says.
#include "integration/host_test.h"
#include "support/traffic.h"

namespace unicni::test::bridge_options_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class BridgeOptions : public HostTest {
 protected:
  static Json config(const std::string& changes) {
    Json config = Json::parse(R"({
      "cniVersion": "1.0.0", "name": "net", "type": "bridge", "bridge": "br0", "isGateway": true,
      "ipam": {"type": "host-local", "subnet": "10.1.2.0/24"}
    })");
    config.merge_patch(Json::parse(changes));
    return config;
  }
};

TEST_F(BridgeOptions, IsDefaultGatewayAddsOneDefaultRoute) {
  const Attachment job = attachment(config(R"({"isGateway": false, "isDefaultGateway": true})"));
  const Json result = must_add(job);
  EXPECT_EQ(result["routes"], Json::parse(R"([{"dst": "0.0.0.0/0", "gw": "10.1.2.1"}])"));
  EXPECT_THAT(routes_of(container_of(job).fd()),
              ElementsAre("default via 10.1.2.1", "10.1.2.0/24"));
  EXPECT_THAT(addresses_of("br0"), ElementsAre("10.1.2.1/24"));
}

TEST_F(BridgeOptions, IsDefaultGatewayTakesIpamsDefaultRouteWithoutGateway) {
  const Attachment job = attachment(
      config(R"({"isDefaultGateway": true, "ipam": {"routes": [{"dst": "0.0.0.0/0"}]}})"));
  const Json result = must_add(job);
  EXPECT_EQ(result["routes"].size(), 1U) << result;
  EXPECT_THAT(routes_of(container_of(job).fd()),
              ElementsAre("default via 10.1.2.1", "10.1.2.0/24"));
  expect_silent_success(job.check(result));
}

TEST_F(BridgeOptions, WithoutGatewayTheBridgeHasNoAddress) {
  must_add(attachment(config(R"({"isGateway": false})")));
  EXPECT_THAT(addresses_of("br0"), IsEmpty());
  EXPECT_NE(sysctl("net/ipv4/ip_forward"), "1");
}

TEST_F(BridgeOptions, MtuIsThatOfBothEndsAndOfANewBridge) {
  const Attachment job = attachment(config(R"({"mtu": 1400})"));
  const Json result = must_add(job);
  EXPECT_EQ(find_link("br0")->at("mtu"), 1400);
  EXPECT_EQ(find_link(host_end(result))->at("mtu"), 1400);
  EXPECT_EQ(find_link("eth0", container_of(job).fd())->at("mtu"), 1400);
}

TEST_F(BridgeOptions, HairpinModeIsThePorts) {
  const Json with = must_add(attachment(config(R"({"hairpinMode": true})"), "c1"));
  const Json without = must_add(attachment(config("{}"), "c2"));
  const auto hairpin = [](const Json& result) {
    return find_link(host_end(result))->at("linkinfo").at("info_slave_data").at("hairpin");
  };
  EXPECT_EQ(hairpin(with), true);
  EXPECT_EQ(hairpin(without), false);
}

TEST_F(BridgeOptions, PromiscModeIsTheBridges) {
  const Attachment job = attachment(config(R"({"promiscMode": true})"));
  const Json result = must_add(job);
  EXPECT_THAT(find_link("br0")->at("flags").dump(), HasSubstr("PROMISC"));
  expect_silent_success(job.check(result));
  tool({"ip", "link", "set", "br0", "promisc", "off"});
  expect_error(job.check(result));
}

TEST_F(BridgeOptions, HairpinWithPromiscIsRefused) {
  const Snapshot before = snapshot();
  expect_error(attachment(config(R"({"promiscMode": true, "hairpinMode": true})")).add(), 7);
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(BridgeOptions, AnotherAddressOfTheBridgeIsRefusedWithTheCommandThatRemovesIt) {
  must_add(attachment(config("{}"), "c1"));
  const Attachment other =
      attachment(config(R"({"name": "other", "ipam": {"subnet": "10.9.0.0/16"}})"), "c2");
  const Snapshot before = snapshot();
  const Json error = expect_error(other.add());
  EXPECT_THAT(error["msg"], HasSubstr("10.1.2.1/24"));
  EXPECT_THAT(error.value("details", ""), HasSubstr("ip addr del 10.1.2.1/24 dev br0"));
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(link_names(container_of(other).fd()), IsEmpty());
}

TEST_F(BridgeOptions, ForceAddressReplacesIt) {
  must_add(attachment(config("{}"), "c1"));
  must_add(attachment(
      config(R"({"name": "other", "forceAddress": true, "ipam": {"subnet": "10.9.0.0/16"}})"),
      "c2"));
  EXPECT_THAT(addresses_of("br0"), ElementsAre("10.9.0.1/16"));
}

TEST_F(BridgeOptions, DnsReplacesIpams) {
  write_file("/run/resolv.conf", "nameserver 192.0.2.53\n");
  const char* ipam = R"({"ipam": {"resolvConf": "/run/resolv.conf"}})";
  EXPECT_EQ(must_add(attachment(config(ipam), "c1"))["dns"],
            Json::parse(R"({"nameservers": ["192.0.2.53"]})"));
  Json both = config(ipam);
  both["dns"] = {{"nameservers", {"10.0.0.53"}}, {"search", {"example.net"}}};
  EXPECT_EQ(must_add(attachment(both, "c2"))["dns"], both["dns"]);
}

TEST_F(BridgeOptions, MacComesFromTheStrongestOfThreeSources) {
  const auto mac_of = [&](const Attachment& job) {
    const Json result = must_add(job);
    const std::string mac = container_interface(result).value("mac", "");
    EXPECT_EQ(find_link("eth0", container_of(job).fd())->at("address"), mac);
    return mac;
  };
  Attachment job = attachment(config("{}"), "c1");
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;MAC=02:00:00:00:00:01";
  EXPECT_EQ(mac_of(job), "02:00:00:00:00:01");

  job = attachment(config(R"({"args": {"cni": {"mac": "02:00:00:00:00:02"}}})"), "c2");
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;MAC=02:00:00:00:00:01";
  EXPECT_EQ(mac_of(job), "02:00:00:00:00:02");

  job = attachment(config(R"({"args": {"cni": {"mac": "02:00:00:00:00:02"}},
                              "runtimeConfig": {"mac": "02:00:00:00:00:03"}})"),
                   "c3");
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;MAC=02:00:00:00:00:01";
  EXPECT_EQ(mac_of(job), "02:00:00:00:00:03");
}

TEST_F(BridgeOptions, MulticastMacIsRefusedBeforeActing) {
  const Attachment job = attachment(config(R"({"runtimeConfig": {"mac": "01:00:5e:00:00:01"}})"));
  const Snapshot before = snapshot();
  expect_error(job.add(), 7);
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(BridgeOptions, BridgeKeepsItsMacWhenPortsComeAndGo) {
  const Attachment first = attachment(config("{}"), "c1");
  must_add(first);
  const Json mac = find_link("br0")->at("address");
  const Attachment second =
      attachment(config(R"({"runtimeConfig": {"mac": "02:00:00:00:00:01"}})"), "c2");
  must_add(second);
  EXPECT_EQ(find_link("br0")->at("address"), mac);
  expect_silent_success(first.del());
  EXPECT_EQ(find_link("br0")->at("address"), mac);
  expect_silent_success(second.del());
  EXPECT_EQ(find_link("br0")->at("address"), mac);
  const Json result = must_add(first);
  EXPECT_EQ(result["interfaces"][0]["mac"], mac);
  expect_silent_success(first.check(result));
}

TEST_F(BridgeOptions, Layer2HasNoAddressesAndNeedsAVersionThatCanSaySo) {
  Json layer2 = config(R"({"ipam": null})");
  const Attachment job = attachment(with_version(layer2, "0.3.1"), "c1");
  const Json result = must_add(job);
  EXPECT_FALSE(result.contains("ips"));
  EXPECT_EQ(result["interfaces"].size(), 3U);
  const int netns = container_of(job).fd();
  EXPECT_THAT(addresses_of("eth0", netns), IsEmpty());
  EXPECT_THAT(find_link("eth0", netns)->at("flags").dump(), HasSubstr("\"UP\""));
  expect_silent_success(job.del());

  const Attachment modern = attachment(layer2, "c2");
  const Json modern_result = must_add(modern);
  expect_silent_success(modern.check(modern_result));
  expect_silent_success(modern.del(modern_result));

  const Attachment old = attachment(with_version(layer2, "0.2.0"), "c3");
  const Snapshot before = snapshot();
  expect_error(old.add(), 7);
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(link_names(container_of(old).fd()), IsEmpty());
}

TEST_F(BridgeOptions, UnknownKeyIsWarnedOfWithTheNearestKnownOne) {
  const Output output = attachment(config(R"({"isGatway": true})")).add();
  EXPECT_TRUE(output.ok()) << output.str();
  EXPECT_THAT(output.err, HasSubstr("isGatway"));
  EXPECT_THAT(output.err, HasSubstr("\"isGateway\""));
}

TEST_F(BridgeOptions, DualStackWorksAtOnce) {
  const Attachment job = attachment(config(R"({
    "isDefaultGateway": true,
    "ipam": {"subnet": null, "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]]}
  })"));
  const Json result = must_add(job);
  const int netns = container_of(job).fd();
  EXPECT_THAT(addresses_of("eth0", netns), ElementsAre("10.1.2.2/24", "fd00:1:2::2/64"));
  EXPECT_THAT(routes_of(netns), ElementsAre("default via 10.1.2.1", "10.1.2.0/24", "fd00:1:2::/64",
                                            "default6 via fd00:1:2::1"));
  EXPECT_TRUE(pings(netns, "fd00:1:2::1"));
  EXPECT_TRUE(pings(netns, "10.1.2.1"));
  EXPECT_THAT(addresses_of("br0"), ElementsAre("10.1.2.1/24", "fd00:1:2::1/64"));
  EXPECT_EQ(sysctl("net/ipv6/conf/all/forwarding"), "1");
  expect_silent_success(job.check(result));
}

TEST_F(BridgeOptions, Ipv6OnlyWorksAtOnceAndInEveryVersion) {
  for (const char* version : {"0.2.0", "0.4.0", "1.1.0"}) {
    SCOPED_TRACE(version);
    Json v6 = config(
        R"({"isDefaultGateway": true, "ipMasq": true, "ipam": {"subnet": "fd00:1:2::/64"}})");
    const Attachment job = attachment(with_version(v6, version), std::string("c") + version);
    const Json result = must_add(job);
    EXPECT_EQ(result.contains("ip6"), std::string(version) == "0.2.0");
    const int netns = container_of(job).fd();
    // no '?': the address is usable when ADD returns
    EXPECT_THAT(addresses_of("eth0", netns), ElementsAre(::testing::Not(HasSubstr("?"))));
    EXPECT_TRUE(pings(netns, "fd00:1:2::1"));
    EXPECT_EQ(masqueraded(6).size(), 1U);
    expect_silent_success(job.del());
    EXPECT_THAT(masqueraded(6), IsEmpty());
  }
}

/// The kernel's own refusals name no key. IPv6's routing masks a destination by itself.
TEST_F(BridgeOptions, ARouteWithBitsBehindItsPrefixLengthIsNamed) {
  const auto with_route = [](const char* dst) {
    Json made = with_version(mynet(), "1.0.0");
    made["ipam"] = {{"type", "static"},
                    {"addresses", {{{"address", "10.22.0.5/16"}}, {{"address", "fd00::5/64"}}}},
                    {"routes", {{{"dst", dst}}}}};
    return made;
  };
  const Json error = expect_error(attachment(with_route("10.9.1.1/16")).add(), 7);
  EXPECT_THAT(error["msg"], HasSubstr("10.9.1.1/16"));
  EXPECT_THAT(error["details"], HasSubstr("10.9.0.0/16"));
  must_add(attachment(with_route("fd09::1/64"), "c2"));
}

}  // namespace
}  // namespace unicni::test::bridge_options_test
