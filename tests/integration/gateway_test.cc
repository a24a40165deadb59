// Gateways and addresses that don't fit: which are refused before anything is made, and which work.
#include "integration/uplink.h"
#include "support/traffic.h"

namespace unicni::test::gateway_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;

class Gateway : public HostTest {
 protected:
  static Json config(const std::string& type, const std::string& ipam) {
    Json config = {{"cniVersion", "1.0.0"}, {"name", "net"}, {"type", type}};
    config["ipam"] = Json::parse(ipam);
    if (type == "bridge") config["bridge"] = "br0";
    if (type == "macvlan" || type == "ipvlan") config["master"] = "up0";
    return config;
  }
  static Json with(Json config, const std::string& changes) {
    config.merge_patch(Json::parse(changes));
    return config;
  }
};

TEST_F(Gateway, OutsideOfTheSubnetItIsANeighbourOnALinkOfLayer2) {
  const Uplink uplink;
  const Container& far = uplink.outside();
  for (const char* address : {"198.51.100.1/32", "2001:db8:5::1/128"}) {
    far.run({"ip", "addr", "add", address, "dev", "far", "nodad"});
  }
  far.run({"ip", "addr", "add", "203.0.113.200/32", "dev", "lo"});
  far.run({"ip", "addr", "add", "2001:db8:9::9/128", "dev", "lo", "nodad"});
  far.run({"ip", "route", "add", "203.0.113.7/32", "dev", "far"});
  far.run({"ip", "route", "add", "2001:db8:5:333::/64", "dev", "far"});
  for (const char* type : {"macvlan", "bridge"}) {
    SCOPED_TRACE(type);
    const Attachment job = attachment(config(type, R"({"type": "static",
          "addresses": [{"address": "203.0.113.7/32", "gateway": "198.51.100.1"},
                        {"address": "2001:db8:5:333::5/64", "gateway": "2001:db8:5::1"}],
          "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]})"),
                                      std::string("in-") + type);
    const Json result = must_add(job);
    const int inside = netns(job);
    if (job.config["type"] == "bridge") tool({"ip", "link", "set", "up0", "master", "br0"});
    EXPECT_THAT(routes_of(inside), AllOf(Contains("default via 198.51.100.1"),
                                         Contains("default6 via 2001:db8:5::1")));
    EXPECT_TRUE(pings(inside, "203.0.113.200"));
    EXPECT_TRUE(pings(inside, "2001:db8:9::9"));
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
  }
}

TEST_F(Gateway, OutsideOfTheSubnetSbrLeadsThereFromATableOfItsOwn) {
  const Uplink uplink;
  const Json macvlan = config("macvlan", R"({"type": "static",
      "addresses": [{"address": "203.0.113.7/32", "gateway": "198.51.100.1"}],
      "routes": [{"dst": "0.0.0.0/0"}]})");
  Json plugin = macvlan;
  plugin.erase("name");
  plugin.erase("cniVersion");
  const Attachment job = attachment({{"cniVersion", "1.0.0"},
                                     {"name", "net"},
                                     {"type", "unicni"},
                                     {"plugins", {plugin, {{"type", "sbr"}}}}});
  const Json result = must_add(job);
  EXPECT_THAT(container_of(job).run({"ip", "route", "show", "table", "100"}).out,
              HasSubstr("default via 198.51.100.1 dev eth0 onlink"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(Gateway, OfTheOtherFamilyItIsRefusedBeforeAnythingIsMade) {
  const Uplink uplink;
  for (const char* type : {"bridge", "ptp", "macvlan", "ipvlan", "dummy"}) {
    SCOPED_TRACE(type);
    for (const char* address : {R"({"address": "10.0.0.5/24", "gateway": "fd00::1"})",
                                R"({"address": "fd00::5/64", "gateway": "10.0.0.1"})"}) {
      Json ipam = {{"type", "static"}, {"addresses", {Json::parse(address)}}};
      const Attachment job = attachment(config(type, ipam.dump()));
      const Json error = expect_no_trace(job, 7);
      EXPECT_THAT(error["msg"].get<std::string>(),
                  AllOf(HasSubstr("gateway"),
                        HasSubstr(ipam["addresses"][0]["gateway"].get<std::string>())));
      containers_.pop_back();
    }
  }
}

TEST_F(Gateway, OfABridgeItMustBeInTheSubnet) {
  const Json outside = config("bridge", R"({"type": "host-local", "subnet": "10.0.0.0/24",
      "gateway": "192.168.1.1", "routes": [{"dst": "0.0.0.0/0"}]})");
  const Json error = expect_no_trace(attachment(with(outside, R"({"isGateway": true})"), "c1"), 7);
  EXPECT_THAT(error["msg"].get<std::string>(),
              AllOf(HasSubstr("gateway"), HasSubstr("192.168.1.1"), HasSubstr("10.0.0.0/24")));
  must_add(attachment(outside, "c2"));
}

TEST_F(Gateway, OfPtpItMayBeAnywhere) {
  const Attachment job = attachment(config("ptp", R"({"type": "host-local", "subnet": "10.0.0.0/24",
      "gateway": "192.168.1.1", "routes": [{"dst": "0.0.0.0/0"}]})"));
  const Json result = must_add(job);
  EXPECT_TRUE(pings(netns(job), "192.168.1.1"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(Gateway, ABroadcastAddressIsNobodys) {
  for (const char* addresses : {R"([{"address": "10.0.0.255/24"}])",
                                R"([{"address": "10.0.0.5/24", "gateway": "10.0.0.255"}])"}) {
    SCOPED_TRACE(addresses);
    Json ipam = {{"type", "static"}};
    ipam["addresses"] = Json::parse(addresses);
    const Json error = expect_no_trace(attachment(config("bridge", ipam.dump())), 7);
    EXPECT_THAT(error["msg"].get<std::string>(),
                AllOf(HasSubstr("10.0.0.255"), HasSubstr("broadcast")));
    containers_.pop_back();
  }
  must_add(
      attachment(config("bridge", R"({"type": "static", "addresses": [{"address": "10.0.0.1/31"},
                           {"address": "10.0.1.1/32"}, {"address": "fd00::ffff/112"}]})")));
}

TEST_F(Gateway, Ipv6OnAHostThatHasItSwitchedOff) {
  for (const char* key : {"all", "default"}) {
    tool({"sysctl", "-qw", std::string("net.ipv6.conf.") + key + ".disable_ipv6=1"});
  }
  constexpr const char* kIpam = R"({"type": "host-local", "subnet": "fd00:7::/64",
                                    "routes": [{"dst": "::/0"}]})";
  // A bridge that IPv4 alone made before has it off.
  must_add(attachment(with(config("bridge", R"({"type": "host-local", "subnet": "10.7.0.0/24"})"),
                           R"({"bridge": "br1", "name": "other", "isGateway": true})"),
                      "c0"));
  const Json old_bridge = with(config("bridge", kIpam), R"({"isGateway": true, "bridge": "br1"})");
  const std::vector<Json> configs = {with(config("bridge", kIpam), R"({"isDefaultGateway": true})"),
                                     config("ptp", kIpam), old_bridge};
  for (std::size_t i = 0; i < configs.size(); ++i) {
    SCOPED_TRACE(configs[i].dump());
    const Attachment job = attachment(configs[i], "c" + std::to_string(i + 1));
    container_of(job).run({"sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                           "net.ipv6.conf.default.disable_ipv6=1"});
    const Json result = must_add(job);
    EXPECT_TRUE(pings(netns(job), "fd00:7::1"));
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    for (const char* link : {"br0", "br1"}) {
      if (find_link(link)) tool({"ip", "-6", "addr", "flush", "dev", link, "scope", "global"});
    }
  }
}

}  // namespace
}  // namespace unicni::test::gateway_test
