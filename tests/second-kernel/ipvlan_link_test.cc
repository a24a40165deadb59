// ipvlan on a kernel that has it. The parent is named as CNI_IFNAME, as on most hosts: this kernel
// looks for a new link's name in the wrong namespace (net::LinkSpec::index).
#include "integration/example.h"
#include "integration/uplink.h"
#include "support/traffic.h"

namespace unicni::test::ipvlan_link_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Ipvlan : public HostTest {
 protected:
  static Json config(const std::string& changes = "{}") {
    Json config = Json::parse(
        R"({"cniVersion": "1.1.0", "name": "net", "type": "ipvlan", "master": "eth0"})");
    config["ipam"] = dual_stack_ipam();
    config.merge_patch(Json::parse(changes));
    return config;
  }

  Uplink uplink_{"eth0"};
};

TEST_F(Ipvlan, Layer2ReachesTheNetworkOfItsParentAndItsSiblingsAtOnce) {
  const Attachment first = attachment(config(), "c1");
  const Attachment second = attachment(config(R"({"mode": ""})"), "c2");
  const Json result = must_add(first);
  ASSERT_EQ(result["interfaces"].size(), 1U) << result;
  EXPECT_EQ(result["interfaces"][0], (Json{{"mac", find_link("eth0")->at("address")},
                                           {"mtu", 1500},
                                           {"name", "eth0"},
                                           {"sandbox", first.netns}}));
  EXPECT_THAT(addresses_of("eth0", netns(first)), ElementsAre("10.1.2.2/24", "fd00:1:2::2/64"));
  EXPECT_THAT(routes_of(netns(first)), ElementsAre("default via 10.1.2.1", "10.1.2.0/24",
                                                   "fd00:1:2::/64", "default6 via fd00:1:2::1"));
  EXPECT_EQ(kind_data("eth0", netns(first))["mode"], "l2");
  EXPECT_TRUE(pings(netns(first), "fd00:1:2::1"));
  EXPECT_TRUE(pings(netns(first), "10.1.2.1"));
  must_add(second);
  EXPECT_TRUE(pings(netns(second), "10.1.2.2"));
  expect_silent_success(first.check(result));

  // What DEL without a journal may take: this attachment's address says whose the link is, as
  // all of them have one MAC.
  tool({"rm", "-r", "/run/unicni"});
  Attachment foreign = first;
  foreign.container_id = "c9";
  expect_silent_success(foreign.del(result));
  EXPECT_THAT(link_names(netns(first)), ElementsAre("eth0"));
  expect_silent_success(first.del());
  expect_silent_success(first.del());
  EXPECT_THAT(link_names(netns(first)), IsEmpty());
  EXPECT_THAT(reservations("net"), ElementsAre("10.1.2.3", "fd00:1:2::3"));
}

// No neighbour protocol there, and so nobody to tell the addresses to: ADD must not try.
TEST_F(Ipvlan, Layer3IsRoutedByTheParent) {
  for (const std::string mode : {"l3", "l3s"}) {
    SCOPED_TRACE(mode);
    Json of_mode = config(R"({"ipam": {"routes": null}})");
    of_mode["mode"] = mode;
    of_mode["ipam"]["ranges"] = Json::parse(R"([[{"subnet": "10.7.0.0/24"}]])");
    of_mode["ipam"]["routes"] = Json::parse(R"([{"dst": "10.1.2.0/24", "scope": 253}])");
    const Attachment job = attachment(of_mode, "c" + mode);
    const Json result = must_add(job);
    EXPECT_EQ(kind_data("eth0", netns(job))["mode"], mode);
    uplink_.outside().run({"ip", "route", "replace", "10.7.0.0/24", "via", "10.1.2.9"});
    uplink_.outside().run({"ip", "neigh", "replace", "10.1.2.9", "lladdr",
                           find_link("eth0")->at("address"), "dev", "far"});
    tool({"ip", "route", "replace", "10.1.2.0/24", "dev", "eth0"});
    EXPECT_TRUE(pings(netns(job), "10.1.2.1"));
    expect_silent_success(job.check(result));
    Attachment different = job;
    different.config["mode"] = "l2";
    EXPECT_THAT(expect_error(different.check(result))["msg"],
                AllOf(HasSubstr("mode " + mode), HasSubstr("l2")));
    expect_silent_success(job.del(result));
  }
}

TEST_F(Ipvlan, BehindAnotherPluginItTakesItsInterfaceAndAddresses) {
  Attachment job = attachment(config(R"({"master": null, "ipam": null})"));
  const Json error = expect_refused_without_a_trace(job, netns(job), 7);
  EXPECT_THAT(error["msg"], HasSubstr("ipam"));
  job.config["prevResult"] = Json::parse(R"({
    "cniVersion": "1.1.0", "interfaces": [{"name": "eth0"}],
    "ips": [{"address": "10.1.2.77/24", "gateway": "10.1.2.1", "interface": 0}],
    "routes": [{"dst": "0.0.0.0/0"}], "dns": {"nameservers": ["192.0.2.53"]}
  })");
  const Json result = must_add(job);
  EXPECT_EQ(result["interfaces"].size(), 1U) << result;
  EXPECT_EQ(result["interfaces"][0]["sandbox"], job.netns);
  EXPECT_EQ(result["ips"], job.config["prevResult"]["ips"]);
  EXPECT_EQ(result["dns"], job.config["prevResult"]["dns"]);
  EXPECT_THAT(routes_of(netns(job)), ElementsAre("default via 10.1.2.1", "10.1.2.0/24"));
  EXPECT_TRUE(pings(netns(job), "10.1.2.1"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
}

TEST_F(Ipvlan, WithoutMasterItIsTheDefaultRoutesWhichDelDoesNotNeed) {
  const Attachment job = attachment(config(R"({"master": null})"));
  tool({"ip", "route", "add", "default", "dev", "eth0"});
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  EXPECT_EQ(find_link("eth0", netns(job))->at("link_index"), find_link("eth0")->at("ifindex"));
  tool({"ip", "route", "del", "default"});
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  tool({"ip", "route", "add", "default", "dev", "eth0"});
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(Ipvlan, RefusalsLeaveNothingAndNameTheParent) {
  const Attachment route = attachment(
      config(R"({"ipam": {"routes": [{"dst": "10.99.0.0/16", "gw": "192.168.77.1"}]}})"));
  EXPECT_THAT(expect_refused_without_a_trace(route, netns(route))["msg"],
              HasSubstr("10.99.0.0/16"));
  EXPECT_THAT(reservations("net"), IsEmpty());
  Attachment other = route;
  other.config = config(R"({"master": "lo"})");
  EXPECT_THAT(expect_refused_without_a_trace(other, netns(route))["msg"],
              AllOf(HasSubstr("create ipvlan"), HasSubstr("on lo")));
  tool({"ip", "link", "add", "link", "eth0", "name", "mac0", "type", "macvlan"});
  other.config = config();
  const Json busy = expect_refused_without_a_trace(other, netns(route));
  EXPECT_THAT(busy["msg"], AllOf(HasSubstr("on eth0"), HasSubstr("EBUSY")));
  EXPECT_THAT(busy.value("details", ""), HasSubstr("another kind"));
}

TEST_F(Ipvlan, StatusTellsOfAMissingParentAndGcOfStaleAttachments) {
  const Attachment job = attachment(config());
  const Snapshot before = snapshot();
  Attachment nobody{.config = config(), .netns = "", .container_id = "", .if_name = ""};
  must_add(job);
  expect_silent_success(nobody.status());
  expect_silent_success(nobody.gc(Json::array()));
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
  EXPECT_EQ(difference(before, snapshot()), "");
  nobody.config["master"] = "none0";
  EXPECT_THAT(expect_error(nobody.status(), 50)["msg"], HasSubstr("none0"));
}

TEST_F(Ipvlan, MtuBeyondTheParentsIsTakenWithAWarning) {
  const Attachment job = attachment(config(R"({"mtu": 1600})"));
  const Output output = job.add();
  ASSERT_TRUE(output.ok()) << output.str();
  EXPECT_THAT(output.err, AllOf(HasSubstr("1600"), HasSubstr("eth0")));
  EXPECT_EQ(find_link("eth0", netns(job))->at("mtu"), 1600);
}

TEST_F(ExampleTest, OfIpvlanWorks) {
  expect_works(UNICNI_SOURCE_DIR "/modules/ipvlan/example.conflist");
}

}  // namespace
}  // namespace unicni::test::ipvlan_link_test
