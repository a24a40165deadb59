// bridge's "vlan", "vlanTrunk" and "preserveDefaultVlan" with tagged traffic.
#include <algorithm>

#include "integration/host_test.h"
#include "probe.h"
#include "support/traffic.h"

namespace unicni::test::bridge_vlan_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

/// What the probe's port sends: its own VLAN, neighbours of those that tests use, both ends.
const std::vector<Tag> kSample = {kUntagged, 0,   1,   2,   99,  100, 101,  102,
                                  199,       200, 201, 202, 203, 204, 1000, 4094};

/// A route that the kernel refuses, when the bridge, the gateway and the port have been made.
constexpr const char* kFailsAtTheEnd =
    R"({"ipam": {"routes": [{"dst": "10.9.0.0/16", "gw": "192.168.77.1"}]}})";

class BridgeVlan : public HostTest {
 protected:
  /// A network on br0; `name` and `changes` make it one of several.
  static Json network(const std::string& name, const std::string& changes) {
    Json config = Json::parse(R"({"cniVersion": "1.0.0", "type": "bridge", "bridge": "br0"})");
    config["name"] = name;
    config.merge_patch(Json::parse(changes));
    return config;
  }
  /// The same with one fixed address.
  static Json with_address(Json config, const std::string& address) {
    config["ipam"] = {{"type", "static"}, {"addresses", {{{"address", address}}}}};
    return config;
  }
  static Json with_gateway(const std::string& changes = "{}") {
    Json config = network("net", R"({"vlan": 100, "isGateway": true,
      "ipam": {"type": "host-local",
               "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]]}})");
    config.merge_patch(Json::parse(changes));
    return config;
  }

  /// The VLANs of a port, or of the bridge itself: "100 PVID untagged", "200-202".
  static std::vector<std::string> vlans_of(const std::string& link) {
    std::vector<std::string> found;
    int first = 0;
    int last = 0;
    for (const Json& port : tool_json({"bridge", "-j", "vlan", "show", "dev", link})) {
      for (const Json& vlan : port.value("vlans", Json::array())) {
        const int id = vlan.value("vlan", 0);
        std::string text = std::to_string(id);
        for (const Json& flag : vlan.value("flags", Json::array())) {
          text += flag == "PVID" ? " PVID" : " untagged";
        }
        const bool plain = text == std::to_string(id);
        if (plain && id == last + 1 && first != 0) {
          found.back() = std::to_string(first) + '-' + text;
        } else {
          found.push_back(text);
          first = plain ? id : 0;
        }
        last = id;
      }
    }
    return found;
  }
  static bool filters() {
    return find_link("br0")->at("linkinfo").at("info_data")["vlan_filtering"] == 1;
  }

  /// A port of br0 in every VLAN, as a switch's uplink would be: "probe" sends what it likes.
  void add_uplink() {
    tool({"ip", "link", "add", "probe", "type", "veth", "peer", "name", "uplink"});
    tool({"ip", "link", "set", "uplink", "master", "br0", "up"});
    tool({"ip", "link", "set", "probe", "up"});
    tool({"bridge", "vlan", "add", "dev", "uplink", "vid", "2-4094"});
    wait_until_it_forwards("uplink");
  }
  /// Ports whose other end has just gone up forward a moment later.
  static void wait_until_it_forwards(const std::string& port) {
    for (int i = 0; i < 100; ++i) {
      const Json link = tool_json({"bridge", "-j", "link", "show", "dev", port});
      if (!link.empty() && link[0].value("state", "") == "forwarding") return;
    }
    ADD_FAILURE() << port << " doesn't forward";
  }
  /// Sends a broadcast and a frame to the container itself in each VLAN of the sample, and returns
  /// those that it saw: each once, if both arrived. `reached`: a VLAN that does arrive.
  std::vector<std::string> probed(const Attachment& job, const Json& result, const Tag& reached) {
    const Probe in(sandbox_.netns(), "probe");
    const Probe out(netns(job), job.if_name);
    const std::string mac = container_interface(result)["mac"];
    for (const Tag& tag : kSample) {
      in.send(tag, "broadcast");
      in.send(tag, text_of(tag), mac);
    }
    in.send(reached, "last");
    std::vector<std::string> seen = out.seen_until("last");
    const auto broadcasts = std::count_if(seen.begin(), seen.end(), [](const std::string& each) {
      return each.starts_with("broadcast");
    });
    std::erase_if(seen, [](const std::string& each) { return each.starts_with("broadcast"); });
    EXPECT_THAT(seen, SizeIs(static_cast<std::size_t>(broadcasts)));
    return seen;
  }
};

TEST_F(BridgeVlan, ContainersReachThoseOfTheirVlanOnly) {
  const Json in_100 = network("a", R"({"vlan": 100})");
  const Json in_200 = network("b", R"({"vlan": 200})");
  const Attachment first = attachment(with_address(in_100, "10.1.2.1/24"), "c1");
  const Attachment second = attachment(with_address(in_100, "10.1.2.2/24"), "c2");
  const Attachment other = attachment(with_address(in_200, "10.1.2.3/24"), "c3");
  const Json result = must_add(first);
  must_add(second);
  const Json other_result = must_add(other);
  EXPECT_TRUE(pings(netns(first), "10.1.2.2"));
  EXPECT_TRUE(pings(netns(second), "10.1.2.1"));
  EXPECT_FALSE(container_of(first).succeeds({"ping", "-c1", "-W1", "10.1.2.3"}));
  EXPECT_FALSE(container_of(other).succeeds({"ping", "-c1", "-W1", "10.1.2.1"}));
  EXPECT_TRUE(filters());
  EXPECT_THAT(vlans_of(host_end(result)), ElementsAre("100 PVID untagged"));
  EXPECT_THAT(vlans_of(host_end(other_result)), ElementsAre("200 PVID untagged"));
  EXPECT_THAT(vlans_of("br0"), ElementsAre("1 PVID untagged"));
  expect_silent_success(first.check(result));
  expect_silent_success(other.check(other_result));

  // A neighbour that puts a tag on its frames doesn't come out of its VLAN.
  const Probe from(netns(other), "eth0");
  const Probe beside(netns(first), "eth0");
  const Probe same(netns(second), "eth0");
  for (const Tag& tag : kSample) from.send(tag, "hop");
  same.send(kUntagged, "last");
  EXPECT_THAT(beside.seen_until("last"), IsEmpty());
}

TEST_F(BridgeVlan, ProbesOfOtherVlansNeverArrive) {
  const Attachment job = attachment(network("net", R"({"vlan": 100})"));
  const Json result = must_add(job);
  add_uplink();
  EXPECT_THAT(probed(job, result, 100), ElementsAre("tagged 100, untagged"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(BridgeVlan, TrunkCarriesItsVlansTaggedAndTheDefaultOneUntagged) {
  const Attachment job =
      attachment(network("net", R"({"vlanTrunk": [{"minID": 200, "maxID": 202}, {"id": 101}]})"));
  const Json result = must_add(job);
  EXPECT_THAT(vlans_of(host_end(result)), ElementsAre("1 PVID untagged", "101", "200-202"));
  EXPECT_THAT(vlans_of("br0"), ElementsAre("1 PVID untagged"));
  EXPECT_TRUE(filters());
  add_uplink();
  EXPECT_THAT(probed(job, result, kUntagged),
              ElementsAre("untagged, untagged", "tagged 0, untagged", "tagged 1, untagged",
                          "tagged 101, tagged 101", "tagged 200, tagged 200",
                          "tagged 201, tagged 201", "tagged 202, tagged 202"));
  // What the container sends comes out with the same tag, and in no other VLAN.
  const Probe from(netns(job), "eth0");
  const Probe uplink(sandbox_.netns(), "probe");
  for (const Tag& tag : kSample) from.send(tag, text_of(tag));
  from.send(kUntagged, "last");
  EXPECT_THAT(uplink.seen_until("last"),
              ElementsAre("untagged, untagged", "tagged 0, untagged", "tagged 1, untagged",
                          "tagged 101, tagged 101", "tagged 200, tagged 200",
                          "tagged 201, tagged 201", "tagged 202, tagged 202"));
  expect_silent_success(job.check(result));
}

TEST_F(BridgeVlan, TrunkWithAVlanOfItsOwn) {
  const Attachment trunk = attachment(
      network("a", R"({"vlan": 100, "vlanTrunk": [{"id": 101}, {"minID": 200, "maxID": 202}]})"),
      "c1");
  const Attachment access = attachment(network("b", R"({"vlan": 101})"), "c2");
  const Json result = must_add(trunk);
  must_add(access);
  EXPECT_THAT(vlans_of(host_end(result)), ElementsAre("100 PVID untagged", "101", "200-202"));
  add_uplink();
  EXPECT_THAT(
      probed(trunk, result, 100),
      ElementsAre("tagged 100, untagged", "tagged 101, tagged 101", "tagged 200, tagged 200",
                  "tagged 201, tagged 201", "tagged 202, tagged 202"));
  const Probe from(netns(trunk), "eth0");
  const Probe to(netns(access), "eth0");
  from.send(kUntagged, "in 100");
  from.send(200, "in 200");
  from.send(101, "in 101");
  from.send(101, "last");
  EXPECT_THAT(to.seen_until("last"), ElementsAre("in 101, untagged"));
  expect_silent_success(trunk.check(result));
}

TEST_F(BridgeVlan, PortsHaveTheVlansOfTheOptions) {
  struct Case {
    const char* options;
    std::vector<std::string> vlans;
    bool filtering;
  };
  const std::vector<Case> cases = {
      {R"({})", {"1 PVID untagged"}, false},
      {R"({"vlanTrunk": []})", {"1 PVID untagged"}, true},
      {R"({"vlan": 100, "preserveDefaultVlan": true})", {"1 untagged", "100 PVID untagged"}, true},
      {R"({"vlanTrunk": [{"id": 5}], "preserveDefaultVlan": true})",
       {"1 PVID untagged", "5"},
       true},
      {R"({"vlan": 100, "vlanTrunk": [{"id": 101}], "preserveDefaultVlan": true})",
       {"1 untagged", "100 PVID untagged", "101"},
       true},
      {R"({"vlan": 100, "vlanTrunk": [{"minID": 99, "maxID": 101}]})",
       {"99", "100 PVID untagged", "101"},
       true},
      {R"({"vlanTrunk": [{"minID": 1, "maxID": 4094}]})", {"1 PVID untagged", "2-4094"}, true},
  };
  int number = 0;
  for (const Case& each : cases) {
    SCOPED_TRACE(each.options);
    const Attachment job = attachment(network("net", each.options), "c" + std::to_string(++number));
    const Json result = must_add(job);
    EXPECT_EQ(vlans_of(host_end(result)), each.vlans);
    EXPECT_EQ(filters(), each.filtering);
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    tool({"ip", "link", "del", "br0"});
  }
}

TEST_F(BridgeVlan, PreservedDefaultVlanIsHeardButNotSpoken) {
  const Attachment job =
      attachment(network("net", R"({"vlan": 100, "preserveDefaultVlan": true})"));
  const Json result = must_add(job);
  add_uplink();
  EXPECT_THAT(probed(job, result, 100), ElementsAre("untagged, untagged", "tagged 0, untagged",
                                                    "tagged 1, untagged", "tagged 100, untagged"));
  const Probe from(netns(job), "eth0");
  const Probe uplink(sandbox_.netns(), "probe");
  from.send(kUntagged, "mine");
  from.send(kUntagged, "last");
  EXPECT_THAT(uplink.seen_until("last"), ElementsAre("mine, tagged 100"));
}

TEST_F(BridgeVlan, GatewayIsAPortOfTheVlan) {
  const Attachment first = attachment(with_gateway(), "c1");
  const Attachment second = attachment(with_gateway(), "c2");
  const Json result = must_add(first);
  ASSERT_THAT(result["interfaces"], SizeIs(4)) << result;
  EXPECT_EQ(result["interfaces"][0]["name"], "br0");
  EXPECT_EQ(result["interfaces"][2]["name"], "eth0");
  EXPECT_EQ(result["ips"][0]["interface"], 2);
  EXPECT_EQ(result["ips"][1]["interface"], 2);
  const Json gateway = *find_link("br0.100");
  EXPECT_EQ(result["interfaces"][3]["name"], "br0.100");
  EXPECT_EQ(result["interfaces"][3]["mac"], gateway["address"]);
  EXPECT_FALSE(result["interfaces"][3].contains("sandbox"));
  EXPECT_THAT(gateway["flags"].dump(), HasSubstr("\"UP\""));
  EXPECT_EQ(gateway["linkinfo"]["info_kind"], "veth");
  EXPECT_THAT(vlans_of(gateway["link"]), ElementsAre("100 PVID untagged"));
  EXPECT_EQ(find_link(gateway["link"])->at("master"), "br0");
  EXPECT_THAT(vlans_of("br0"), ElementsAre("1 PVID untagged"));
  EXPECT_THAT(addresses_of("br0.100"), ElementsAre("10.1.2.1/24", "fd00:1:2::1/64"));
  EXPECT_THAT(addresses_of("br0"), IsEmpty());
  EXPECT_TRUE(pings(netns(first), "10.1.2.1"));
  EXPECT_TRUE(pings(netns(first), "fd00:1:2::1"));

  const Json second_result = must_add(second);
  EXPECT_EQ(second_result["interfaces"][3], result["interfaces"][3]);
  EXPECT_EQ(find_link("br0.100")->at("ifindex"), gateway["ifindex"]);
  EXPECT_TRUE(pings(netns(second), "10.1.2.1"));
  EXPECT_TRUE(pings(netns(second), "10.1.2.2"));
  expect_silent_success(first.check(result));
  expect_silent_success(second.check(second_result));

  expect_silent_success(first.del(result));
  expect_silent_success(second.del(second_result));
  EXPECT_EQ(find_link("br0.100")->at("ifindex"), gateway["ifindex"]);
  EXPECT_THAT(addresses_of("br0.100"), ElementsAre("10.1.2.1/24", "fd00:1:2::1/64"));
  EXPECT_THAT(link_names(), UnorderedElementsAre("br0", "br0.100", std::string(gateway["link"])));

  const Attachment third = attachment(with_gateway(), "c3");
  must_add(third);
  EXPECT_EQ(find_link("br0.100")->at("ifindex"), gateway["ifindex"]);
  EXPECT_TRUE(pings(netns(third), "10.1.2.1"));
}

TEST_F(BridgeVlan, TwoVlansOfABridgeHaveAGatewayEach) {
  const Attachment first = attachment(with_gateway(), "c1");
  const Attachment second = attachment(with_gateway(R"({"name": "other", "vlan": 200, "mtu": 1400,
                       "ipam": {"ranges": [[{"subnet": "10.1.3.0/24"}]]}})"),
                                       "c2");
  must_add(first);
  must_add(second);
  EXPECT_THAT(addresses_of("br0.200"), ElementsAre("10.1.3.1/24"));
  EXPECT_THAT(addresses_of("br0.100"), ElementsAre("10.1.2.1/24", "fd00:1:2::1/64"));
  EXPECT_TRUE(pings(netns(first), "10.1.2.1"));
  EXPECT_TRUE(pings(netns(second), "10.1.3.1"));
}

TEST_F(BridgeVlan, FailedAddLeavesNoGateway) {
  const Attachment job = attachment(with_gateway(kFailsAtTheEnd));
  const Snapshot before = snapshot();
  EXPECT_THAT(expect_error(job.add())["msg"], HasSubstr("10.9.0.0/16"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(BridgeVlan, FailedAddLeavesNoGatewayAlsoIfOtherVlansAreInUse) {
  must_add(attachment(with_gateway(R"({"vlan": 200, "name": "other", "vlanTrunk": [{"id": 99}]})"),
                      "c1"));
  const Attachment job = attachment(with_gateway(kFailsAtTheEnd), "c2");
  const Snapshot before = snapshot();
  EXPECT_THAT(expect_error(job.add())["msg"], HasSubstr("10.9.0.0/16"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(BridgeVlan, FailedAddKeepsTheGatewayOfOthers) {
  const Attachment first = attachment(with_gateway(), "c1");
  must_add(first);
  const Attachment job = attachment(with_gateway(kFailsAtTheEnd), "c2");
  const Snapshot before = snapshot();
  EXPECT_THAT(expect_error(job.add())["msg"], HasSubstr("10.9.0.0/16"));
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_TRUE(pings(netns(first), "10.1.2.1"));
}

TEST_F(BridgeVlan, NameOfTheGatewayMayBeTaken) {
  tool({"ip", "link", "add", "br0.100", "type", "dummy"});
  const Snapshot before = snapshot();
  const Json error = expect_error(attachment(with_gateway()).add());
  EXPECT_THAT(error["msg"], HasSubstr("br0.100 exists but is no port of br0"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(BridgeVlan, CheckSeesEachVlanThatIsMissing) {
  const Attachment job =
      attachment(network("net", R"({"vlan": 100, "vlanTrunk": [{"minID": 200, "maxID": 202}]})"));
  const Json result = must_add(job);
  const std::string port = host_end(result);
  const auto vlan = [&](const char* verb, const char* vid, std::vector<std::string> flags = {}) {
    std::vector<std::string> argv = {"bridge", "vlan", verb, "dev", port, "vid", vid};
    argv.insert(argv.end(), flags.begin(), flags.end());
    tool(argv);
  };
  vlan("del", "201");
  EXPECT_THAT(expect_error(job.check(result))["msg"],
              AllOf(HasSubstr(port), HasSubstr("VLAN 201")));
  vlan("add", "201");
  expect_silent_success(job.check(result));
  vlan("del", "100");
  EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr("VLAN 100 untagged"));
  vlan("add", "100");
  EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr("VLAN 100 untagged"));
  vlan("add", "100", {"pvid", "untagged"});
  expect_silent_success(job.check(result));
}

TEST_F(BridgeVlan, CheckSeesWhatIsWrongWithTheGateway) {
  const Attachment job = attachment(with_gateway());
  const Json result = must_add(job);
  const std::string peer = find_link("br0.100")->at("link");
  const auto expect_failure = [&](const std::string& message) {
    EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr(message));
  };
  tool({"bridge", "vlan", "del", "dev", peer, "vid", "100"});
  expect_failure("port " + peer + " is not in VLAN 100 untagged");
  tool({"bridge", "vlan", "add", "dev", peer, "vid", "100", "pvid", "untagged"});
  expect_silent_success(job.check(result));
  tool({"ip", "link", "set", "br0.100", "down"});
  expect_failure("br0.100 is down");
  tool({"ip", "link", "del", "br0.100"});
  expect_failure("br0.100, the gateway of VLAN 100, is missing");
}

TEST_F(BridgeVlan, AdoptedBridgeWithoutFilteringIsKeptAndWarnedOf) {
  tool({"ip", "link", "add", "br0", "type", "bridge"});
  const Attachment job = attachment(network("net", R"({"vlan": 100})"));
  const Output output = job.add();
  ASSERT_TRUE(output.ok()) << output.str();
  EXPECT_THAT(output.err, AllOf(HasSubstr("br0"), HasSubstr("without VLAN filtering")));
  EXPECT_FALSE(filters());
  EXPECT_THAT(vlans_of(host_end(output.json())), ElementsAre("100 PVID untagged"));
  // The advice works.
  tool({"ip", "link", "set", "br0", "type", "bridge", "vlan_filtering", "1"});
  add_uplink();
  EXPECT_THAT(probed(job, output.json(), 100), ElementsAre("tagged 100, untagged"));
  EXPECT_THAT(attachment(network("net", R"({"vlan": 100})"), "c2").add().err,
              Not(HasSubstr("filtering")));
}

// A node that gets this release under running containers.
TEST_F(BridgeVlan, GatewayOfTheReferenceIsTakenOver) {
  Attachment old = attachment(with_gateway(), "c1");
  old.folder = kReferenceDir;
  old.cni_path = kReferenceDir;
  const Json result = must_add(old);
  const Json gateway = *find_link("br0.100");
  const Attachment job = attachment(with_gateway(), "c2");
  must_add(job);
  EXPECT_EQ(find_link("br0.100")->at("ifindex"), gateway["ifindex"]);
  EXPECT_EQ(find_link("br0.100")->at("address"), gateway["address"]);
  EXPECT_TRUE(pings(netns(job), "10.1.2.1"));
  EXPECT_TRUE(pings(netns(job), "10.1.2.2"));
  old.folder.clear();
  old.cni_path.clear();
  expect_silent_success(old.del(result));
  EXPECT_THAT(link_names(netns(old)), IsEmpty());
}

}  // namespace
}  // namespace unicni::test::bridge_vlan_test
