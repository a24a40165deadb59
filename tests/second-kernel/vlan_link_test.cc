// vlan, and macvlan on a dummy, on a kernel that has them. The parent is named as CNI_IFNAME, as on
// most hosts: this kernel looks for a new link's name in the wrong namespace
// (net::LinkSpec::index).
#include "integration/example.h"
#include "integration/uplink.h"
#include "second-kernel/probe.h"
#include "support/traffic.h"

namespace unicni::test::vlan_link_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Vlan : public HostTest {
 protected:
  static Json config(const std::string& changes = "{}") {
    Json config = Json::parse(R"({"cniVersion": "1.1.0", "name": "net", "type": "vlan",
                                  "master": "eth0", "vlanId": 7})");
    config["ipam"] = dual_stack_ipam();
    config.merge_patch(Json::parse(changes));
    return config;
  }

  Uplink uplink_{"eth0"};
};

TEST_F(Vlan, ItsFramesAreTaggedAndItHearsItsVlanOnly) {
  const Attachment job = attachment(config());
  const Json result = must_add(job);
  ASSERT_EQ(result["interfaces"].size(), 1U) << result;
  EXPECT_EQ(result["interfaces"][0], (Json{{"mac", find_link("eth0")->at("address")},
                                           {"mtu", 1500},
                                           {"name", "eth0"},
                                           {"sandbox", job.netns}}));
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("10.1.2.2/24", "fd00:1:2::2/64"));
  EXPECT_THAT(routes_of(netns(job)), ElementsAre("default via 10.1.2.1", "10.1.2.0/24",
                                                 "fd00:1:2::/64", "default6 via fd00:1:2::1"));
  EXPECT_EQ(kind_data("eth0", netns(job))["id"], 7);
  EXPECT_EQ(kind_data("eth0", netns(job))["flags"], Json::parse(R"(["REORDER_HDR"])"));
  {
    const Probe inside(netns(job), "eth0");
    const Probe far(uplink_.outside().fd(), "far");
    inside.send(kUntagged, "out");
    inside.send(kUntagged, "last");
    EXPECT_THAT(far.seen_until("last"), ElementsAre("out, tagged 7"));
    far.send(kUntagged, "none");
    far.send(8, "other");
    far.send(7, "own");
    far.send(7, "last");
    EXPECT_THAT(inside.seen_until("last"), ElementsAre("own, untagged"));
  }
  const Container& outside = uplink_.outside();
  outside.run({"ip", "addr", "flush", "dev", "far"});
  outside.run({"ip", "link", "add", "link", "far", "name", "far.7", "type", "vlan", "id", "7"});
  outside.run({"ip", "addr", "add", "10.1.2.1/24", "dev", "far.7"});
  outside.run({"ip", "link", "set", "far.7", "up"});
  EXPECT_TRUE(pings(netns(job), "10.1.2.1"));
  expect_silent_success(job.check(result));

  Attachment different = job;
  different.config["vlanId"] = 8;
  EXPECT_THAT(expect_error(different.check(result))["msg"],
              AllOf(HasSubstr("VLAN 7"), HasSubstr("8")));
}

TEST_F(Vlan, AVlanThatIsTakenOnTheParentIsNamed) {
  must_add(attachment(config(), "c1"));
  const Attachment second = attachment(config(), "c2");
  const Json error = expect_refused_without_a_trace(second, netns(second));
  EXPECT_THAT(error["msg"], AllOf(HasSubstr("on eth0"), HasSubstr("EEXIST")));
  EXPECT_THAT(error.value("details", ""), AllOf(HasSubstr("VLAN 7"), HasSubstr("vlanId")));
}

TEST_F(Vlan, DelNeedsNeitherParentNorNamespaceNorJournal) {
  Attachment job = attachment(config());
  Snapshot before = snapshot();
  must_add(job);
  tool({"rm", "-r", "/run/unicni"});
  expect_silent_success(job.del());
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
  must_add(job);
  tool({"ip", "link", "del", "eth0"});
  before = without_link(before, "eth0");
  job.netns = "";
  expect_silent_success(job.del());
  expect_silent_success(job.del());
  job.netns = "/run/netns/never-there";
  expect_silent_success(job.del());
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(Vlan, RefusalsLeaveNothingAndNameTheParent) {
  const Attachment job = attachment(
      config(R"({"ipam": {"routes": [{"dst": "10.99.0.0/16", "gw": "192.168.77.1"}]}})"));
  EXPECT_THAT(expect_refused_without_a_trace(job, netns(job))["msg"], HasSubstr("10.99.0.0/16"));
  EXPECT_THAT(reservations("net"), IsEmpty());
  Attachment other = job;
  other.config = config(R"({"master": "lo"})");
  EXPECT_THAT(expect_refused_without_a_trace(other, netns(job))["msg"],
              AllOf(HasSubstr("create vlan"), HasSubstr("on lo"), HasSubstr("EOPNOTSUPP")));
  other.config = config(R"({"mtu": 1501})");
  EXPECT_EQ(expect_refused_without_a_trace(other, netns(job), 7)["msg"],
            "vlan: invalid MTU 1501, must be [0, master MTU(1500)]");
  tool({"ip", "link", "set", "eth0", "down"});
  other.config = config();
  const Json down = expect_refused_without_a_trace(other, netns(job));
  EXPECT_EQ(down["msg"], "vlan: master eth0 is down");
  EXPECT_EQ(down["details"], "ip link set eth0 up");
}

TEST_F(Vlan, StatusTellsOfAnUnusableParentAndGcOfStaleAttachments) {
  const Attachment job = attachment(config());
  const Snapshot before = snapshot();
  Attachment nobody{.config = config(), .netns = "", .container_id = "", .if_name = ""};
  must_add(job);
  expect_silent_success(nobody.status());
  expect_silent_success(nobody.gc(Json::array()));
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
  EXPECT_EQ(difference(before, snapshot()), "");
  tool({"ip", "link", "set", "eth0", "down"});
  EXPECT_THAT(expect_error(nobody.status(), 50)["msg"], HasSubstr("eth0 is down"));
  nobody.config["master"] = "none0";
  EXPECT_THAT(expect_error(nobody.status(), 50)["msg"], HasSubstr("none0"));
}

TEST_F(Vlan, TheParentMayBeInTheContainerAndTheMtuSmaller) {
  const Attachment job =
      attachment(config(R"({"master": "inner", "linkInContainer": true, "mtu": 1400})"));
  const Container& inside = container_of(job);
  inside.run({"ip", "link", "add", "inner", "type", "dummy"});
  inside.run({"ip", "link", "set", "inner", "up"});
  const Json result = must_add(job);
  EXPECT_EQ(find_link("eth0", inside.fd())->at("link"), "inner");
  EXPECT_EQ(container_interface(result)["mtu"], 1400);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_THAT(link_names(inside.fd()), ElementsAre("inner"));
}

TEST_F(ExampleTest, OfVlanWorks) {
  expect_works(UNICNI_SOURCE_DIR "/modules/vlan/example.conflist");
}

// Kernels before 6.15 take CNI_IFNAME for the parent, which has the same name.
TEST_F(HostTest, MacvlanOnADummyOfItsOwnName) {
  tool({"ip", "link", "add", "eth0", "type", "dummy"});
  tool({"ip", "link", "set", "eth0", "up"});
  const Snapshot before = snapshot();
  Json config =
      Json::parse(R"({"cniVersion": "1.1.0", "name": "net", "type": "macvlan", "master": "eth0"})");
  config["ipam"] = dual_stack_ipam();
  const Attachment first = attachment(config, "c1");
  const Attachment second = attachment(config, "c2");
  const Json result = must_add(first);
  must_add(second);
  EXPECT_TRUE(pings(container_of(first).fd(), "10.1.2.3"));
  expect_silent_success(first.check(result));
  expect_silent_success(first.del(result));
  expect_silent_success(second.del());
  EXPECT_EQ(difference(before, snapshot()), "");
}

}  // namespace
}  // namespace unicni::test::vlan_link_test
