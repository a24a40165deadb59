// bridge's port: isolation, MAC spoofing, who hears of it when it comes.
#include <chrono>

#include "integration/host_test.h"
#include "support/traffic.h"

namespace unicni::test::bridge_port_test {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Lt;
using ::testing::Not;
using ::testing::SizeIs;

class BridgePort : public HostTest {
 protected:
  static Json config(const std::string& changes) {
    Json config = Json::parse(R"({
      "cniVersion": "1.0.0", "name": "net", "type": "bridge", "bridge": "br0", "isGateway": true,
      "ipam": {"type": "host-local",
               "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]]}
    })");
    config.merge_patch(Json::parse(changes));
    return config;
  }
  static Json layer2(const std::string& changes) {
    Json made = config(changes);
    made.erase("ipam");
    made["isGateway"] = false;
    return made;
  }
  /// `job` with these addresses asked for.
  static Attachment with_ips(Attachment job, const std::vector<std::string>& ips) {
    job.config["runtimeConfig"]["ips"] = ips;
    return job;
  }
  static Json port_data(const Json& result) {
    return find_link(host_end(result))->at("linkinfo").at("info_slave_data");
  }
};

TEST_F(BridgePort, IsolatedPortsReachTheGatewayButNotEachOther) {
  const Attachment first = attachment(config(R"({"portIsolation": true})"), "c1");
  const Attachment second = attachment(config(R"({"portIsolation": true})"), "c2");
  const Attachment open = attachment(config("{}"), "c3");
  const Json result = must_add(first);
  must_add(second);
  EXPECT_EQ(port_data(must_add(open)).at("isolated"), false);
  EXPECT_EQ(port_data(result).at("isolated"), true);
  EXPECT_TRUE(pings(netns(first), "10.1.2.1"));
  EXPECT_TRUE(pings(netns(first), "10.1.2.4")) << "a port that isn't isolated";
  EXPECT_FALSE(container_of(first).succeeds({"ping", "-c1", "-W1", "10.1.2.3"}));
  expect_silent_success(first.check(result));
  tool({"bridge", "link", "set", "dev", host_end(result), "isolated", "off"});
  EXPECT_THAT(expect_error(first.check(result))["msg"], HasSubstr("isolation of"));
}

TEST_F(BridgePort, FramesFromAnotherMacAreDropped) {
  const Attachment checked = attachment(config(R"({"macspoofchk": true, "ipMasq": true})"), "c1");
  const Attachment other = attachment(config("{}"), "c2");
  const Snapshot before = snapshot();
  const Json result = must_add(checked);
  must_add(other);
  expect_silent_success(checked.check(result));
  EXPECT_TRUE(pings(netns(checked), "10.1.2.1"));
  EXPECT_TRUE(pings(netns(checked), "10.1.2.3"));
  EXPECT_TRUE(pings(netns(checked), "fd00:1:2::3"));

  const std::string mac = container_interface(result)["mac"];
  container_of(checked).run({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:99"});
  EXPECT_FALSE(container_of(checked).succeeds({"ping", "-c1", "-W1", "10.1.2.1"}));
  EXPECT_FALSE(container_of(checked).succeeds({"ping", "-c1", "-W1", "fd00:1:2::3"}));
  EXPECT_TRUE(pings(netns(other), "10.1.2.1")) << "other ports aren't checked";
  container_of(checked).run({"ip", "link", "set", "eth0", "address", mac});
  EXPECT_TRUE(pings(netns(checked), "10.1.2.1"));

  tool({"nft", "flush", "table", "bridge", "unicni"});
  expect_error(checked.check(result));
  expect_silent_success(checked.del(result));
  expect_silent_success(other.del());
  EXPECT_EQ(difference(without_link(before, "br0"), without_link(snapshot(), "br0")), "");
}

TEST_F(BridgePort, SpoofCheckWorksWithoutAddressesAndGoesWithoutJournalAndResult) {
  const Attachment job = attachment(layer2(R"({"macspoofchk": true})"));
  const Snapshot before = snapshot();
  must_add(job);
  const std::string elements = tool({"nft", "list", "table", "bridge", "unicni"}).out;
  EXPECT_THAT(elements, HasSubstr("net/c1/eth0"));
  for (const std::string& file : files_in(kJournals))
    ::unlink((std::string(kJournals) + "/" + file).c_str());
  expect_silent_success(job.del());
  EXPECT_THAT(tool({"nft", "list", "table", "bridge", "unicni"}).out, Not(HasSubstr("net/c1")));
  EXPECT_EQ(difference(without_link(before, "br0"), without_link(snapshot(), "br0")), "");
}

TEST_F(BridgePort, InterfaceMayBeLeftDown) {
  const Attachment job = attachment(layer2(R"({"disableContainerInterface": true})"));
  const Json result = must_add(job);
  EXPECT_THAT(find_link("eth0", netns(job))->at("flags").dump(), Not(HasSubstr("\"UP\"")));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del());
}

TEST_F(BridgePort, InterfaceLeftDownWithIpamIsRefusedBeforeActing) {
  const Snapshot before = snapshot();
  const Attachment job = attachment(config(R"({"disableContainerInterface": true})"));
  EXPECT_THAT(expect_error(job.add(), 7)["msg"], HasSubstr("DisableContainerInterface"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(BridgePort, DuplicateAddressDetectionHasEndedWhenAddReturns) {
  const Attachment job = attachment(config(R"({"enabledad": true})"), "c1");
  must_add(job);
  EXPECT_EQ(sysctl("net/ipv6/conf/eth0/accept_dad", netns(job)), "1");
  EXPECT_THAT(addresses_of("eth0", netns(job)), Each(Not(HasSubstr("?"))));
}

TEST_F(BridgePort, DuplicateAddressIsAnErrorWithEnabledad) {
  Json fixed = config(R"({"enabledad": true})");
  fixed["ipam"] =
      Json::parse(R"({"type": "static", "addresses": [{"address": "fd00:1:2::9/64"}]})");
  must_add(attachment(fixed, "c1"));
  const Attachment twin = attachment(fixed, "c2");
  const Snapshot before = snapshot();
  EXPECT_THAT(expect_error(twin.add())["msg"], HasSubstr("fd00:1:2::9/64 is a duplicate"));
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(link_names(netns(twin)), IsEmpty());
}

TEST_F(BridgePort, AddressesAreUsableWhenAddReturns) {
  const Attachment job = attachment(config("{}"));
  must_add(job);
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("10.1.2.2/24", "fd00:1:2::2/64"));
  EXPECT_EQ(sysctl("net/ipv6/conf/eth0/accept_dad", netns(job)), "0");
}

/// What the kernel walks at each link that goes up or down must not grow by the attachments.
TEST_F(BridgePort, PortHasNoIpv6OfItsOwnAndPassesTheContainers) {
  const Attachment job = attachment(config("{}"));
  const std::string port = host_end(must_add(job));
  EXPECT_TRUE(pings(netns(job), "fd00:1:2::1"));
  EXPECT_EQ(sysctl("net/ipv6/conf/" + port + "/disable_ipv6"), "1");
  EXPECT_EQ(sysctl("net/ipv6/conf/" + port + "/accept_ra"), "0");
  EXPECT_THAT(tool_json({"ip", "-j", "-6", "route", "show", "table", "all", "dev", port}),
              IsEmpty());
  EXPECT_EQ(sysctl("net/ipv6/conf/br0/disable_ipv6"), "0");
  EXPECT_EQ(sysctl("net/ipv6/conf/default/disable_ipv6"), "0");
}

TEST_F(BridgePort, FirstPacketToAReusedAddressArrives) {
  const Attachment sibling = attachment(config("{}"), "c1");
  must_add(sibling);
  std::vector<double> times;
  for (int round = 0; round < 5; ++round) {
    const Attachment job = with_ips(attachment(config("{}"), "r" + std::to_string(round)),
                                    {"10.1.2.77", "fd00:1:2::77"});
    const Json result = must_add(job);
    EXPECT_EQ(result["ips"][0]["address"], "10.1.2.77/24");
    for (const char* address : {"10.1.2.77", "fd00:1:2::77"}) {
      times.push_back(first_packet_ms(sandbox_.netns(), netns(job), address, 7));
      times.push_back(first_packet_ms(netns(sibling), netns(job), address, 7));
      // Both now know this container's MAC well, and the next one has another.
      EXPECT_TRUE(pings(netns(sibling), address));
      EXPECT_TRUE(pings(sandbox_.netns(), address));
    }
    expect_silent_success(job.del());
  }
  // The goal is 10 ms; a stale neighbour entry costs seconds, a busy machine less than this.
  EXPECT_THAT(times, Each(Lt(500)));
}

TEST_F(BridgePort, MacOfAnAdoptedBridgeNeverChanges) {
  tool({"ip", "link", "add", "br0", "type", "bridge"});
  const Json mac = find_link("br0")->at("address");
  for (int round = 0; round < 3; ++round) {
    const Attachment job = attachment(config(R"({"runtimeConfig": {"mac": "00:00:00:00:00:0)" +
                                             std::to_string(round + 1) + "\"}}"),
                                      "c" + std::to_string(round));
    EXPECT_EQ(must_add(job)["interfaces"][0]["mac"], mac);
    EXPECT_EQ(find_link("br0")->at("address"), mac);
    // The lowest MAC of all would be the bridge's, if it followed its ports.
    tool({"ip", "link", "add", "low", "address", "00:00:00:00:00:01", "type", "veth"});
    tool({"ip", "link", "set", "low", "master", "br0"});
    EXPECT_EQ(find_link("br0")->at("address"), mac);
    tool({"ip", "link", "del", "low"});
    expect_silent_success(job.del());
    EXPECT_EQ(find_link("br0")->at("address"), mac);
  }
}

TEST_F(BridgePort, AdoptedBridgeKeepsItsAliasAndItsMac) {
  tool({"ip", "link", "add", "br0", "type", "bridge"});
  tool({"ip", "link", "set", "br0", "alias", "lab"});
  const Json mac = find_link("br0")->at("address");
  must_add(attachment(config("{}")));
  tool({"ip", "link", "add", "low", "address", "00:00:00:00:00:01", "type", "veth"});
  tool({"ip", "link", "set", "low", "master", "br0"});
  EXPECT_EQ(find_link("br0")->at("address"), mac);
  EXPECT_EQ(find_link("br0")->value("ifalias", ""), "lab");
}

// The bridge of a network without gateway, made by the reference: its last port took the MAC along.
TEST_F(BridgePort, AdoptedBridgeWithoutAMacGetsOne) {
  tool({"ip", "link", "add", "br0", "type", "bridge"});
  tool({"ip", "link", "add", "low", "address", "00:00:00:00:00:01", "type", "veth"});
  tool({"ip", "link", "set", "low", "master", "br0"});
  tool({"ip", "link", "del", "low"});
  ASSERT_EQ(find_link("br0")->at("address"), "00:00:00:00:00:00");
  const Attachment job = attachment(config("{}"));
  const Json result = must_add(job);
  EXPECT_NE(result["interfaces"][0]["mac"], "00:00:00:00:00:00");
  EXPECT_TRUE(pings(netns(job), "10.1.2.1"));
  expect_silent_success(job.check(result));
}

TEST_F(BridgePort, VlanOnAKernelWithoutThemIsRefusedNamingTheKernelsOption) {
  const Attachment job = attachment(config(R"({"vlan": 100})"));
  const Snapshot before = snapshot();
  const Output output = job.add();
  if (output.ok()) {  // this kernel has them
    EXPECT_THAT(link_names(), ::testing::Contains("br0.100"));
    return;
  }
  const Json error = expect_error(output);
  EXPECT_THAT(error.value("details", ""), HasSubstr("CONFIG_BRIDGE_VLAN_FILTERING"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(BridgePort, BadVlansAreRefusedBeforeActing) {
  const Snapshot before = snapshot();
  int number = 0;
  for (const char* option :
       {R"({"vlan": 4095})", R"({"vlan": -1})", R"({"vlanTrunk": [{"minID": 5}]})",
        R"({"vlanTrunk": [{"minID": 5, "maxID": 4}]})", R"({"vlanTrunk": [{"id": 0}]})"}) {
    SCOPED_TRACE(option);
    expect_error(attachment(config(option), "n" + std::to_string(number++)).add(), 7);
  }
  EXPECT_EQ(difference(before, snapshot()), "");
}

}  // namespace
}  // namespace unicni::test::bridge_port_test
