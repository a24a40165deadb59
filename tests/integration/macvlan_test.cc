// macvlan on a link of the host: what it makes, what it refuses, what CHECK, STATUS and GC see.
#include "integration/uplink.h"
#include "support/tracer.h"
#include "support/traffic.h"

namespace unicni::test::macvlan_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class Macvlan : public HostTest {
 protected:
  static Json config(const std::string& changes = "{}") {
    Json config = Json::parse(
        R"({"cniVersion": "1.1.0", "name": "net", "type": "macvlan", "master": "up0"})");
    config["ipam"] = dual_stack_ipam();
    config.merge_patch(Json::parse(changes));
    return config;
  }

  Uplink uplink_;
};

TEST_F(Macvlan, ReachesTheNetworkOfItsParentAndItsSiblingsAtOnce) {
  const Attachment first = attachment(config(), "c1");
  const Attachment second = attachment(config(), "c2");
  const Json result = must_add(first);
  ASSERT_EQ(result["interfaces"].size(), 1U) << result;
  const Json link = *find_link("eth0", netns(first));
  EXPECT_EQ(
      result["interfaces"][0],
      (Json{{"mac", link["address"]}, {"mtu", 1500}, {"name", "eth0"}, {"sandbox", first.netns}}));
  EXPECT_EQ(result["ips"], Json::parse(R"([
    {"address": "10.1.2.2/24", "gateway": "10.1.2.1", "interface": 0},
    {"address": "fd00:1:2::2/64", "gateway": "fd00:1:2::1", "interface": 0}])"));
  EXPECT_EQ(link["linkinfo"]["info_kind"], "macvlan");
  // no '?': the addresses are usable when ADD returns
  EXPECT_THAT(addresses_of("eth0", netns(first)), ElementsAre("10.1.2.2/24", "fd00:1:2::2/64"));
  EXPECT_THAT(routes_of(netns(first)), ElementsAre("default via 10.1.2.1", "10.1.2.0/24",
                                                   "fd00:1:2::/64", "default6 via fd00:1:2::1"));
  EXPECT_TRUE(pings(netns(first), "fd00:1:2::1"));
  EXPECT_TRUE(pings(netns(first), "10.1.2.1"));
  must_add(second);
  EXPECT_TRUE(pings(netns(second), "10.1.2.2"));
  EXPECT_TRUE(pings(netns(second), "fd00:1:2::2"));
  expect_silent_success(first.check(result));
}

TEST_F(Macvlan, ModeIsTheKernelsAndCheckSeesIt) {
  for (const std::string mode : {"", "bridge", "private", "vepa", "passthru"}) {
    SCOPED_TRACE(mode);
    Json of_mode = config();
    of_mode["mode"] = mode;
    const Attachment job = attachment(of_mode, "c" + mode);
    const Json result = must_add(job);
    EXPECT_EQ(kind_data("eth0", netns(job))["mode"], mode.empty() ? "bridge" : mode);
    expect_silent_success(job.check(result));
    for (const char* other : {"bridge", "private", "vepa", "passthru"}) {
      Attachment different = job;
      different.config["mode"] = other;
      if (mode == other || mode.empty()) continue;
      EXPECT_THAT(expect_error(different.check(result))["msg"],
                  AllOf(HasSubstr("mode " + mode), HasSubstr(other)));
    }
    expect_silent_success(job.del(result));
  }
}

TEST_F(Macvlan, PrivateOnesDontHearEachOther) {
  const Json hidden = config(R"({"mode": "private"})");
  const Attachment first = attachment(hidden, "c1");
  const Attachment second = attachment(hidden, "c2");
  must_add(first);
  must_add(second);
  EXPECT_TRUE(pings(netns(first), "10.1.2.1"));
  EXPECT_FALSE(container_of(first).succeeds({"ping", "-c1", "-W1", "10.1.2.3"}));
}

TEST_F(Macvlan, PassthruHasItsParentsMacAndGivesEverythingBack) {
  const Attachment job = attachment(config(R"({"mode": "passthru", "mac": "02:00:00:00:00:07"})"));
  const Snapshot before = snapshot();
  const Output output = job.add();
  ASSERT_TRUE(output.ok()) << output.str();
  EXPECT_EQ(container_interface(output.json())["mac"], find_link("up0")->at("address"));
  EXPECT_THAT(output.err, AllOf(HasSubstr("02:00:00:00:00:07"), HasSubstr("passthru")));
  EXPECT_TRUE(pings(netns(job), "10.1.2.1"));
  EXPECT_EQ(find_link("up0")->at("promiscuity"), 1);
  container_of(job).run({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:08"});
  EXPECT_EQ(find_link("up0")->at("address"), "02:00:00:00:00:08");
  expect_silent_success(job.del());
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_EQ(find_link("up0")->at("promiscuity"), 0);
}

TEST_F(Macvlan, PassthruBesideOthersIsRefusedWithTheReason) {
  const Attachment first = attachment(config(), "c1");
  must_add(first);
  const Attachment second = attachment(config(R"({"mode": "passthru"})"), "c2");
  const Json error = expect_refused_without_a_trace(second, netns(second));
  EXPECT_THAT(error["msg"], AllOf(HasSubstr("up0"), HasSubstr("eth0"), HasSubstr("EINVAL")));
  EXPECT_THAT(error.value("details", ""), HasSubstr("passthru"));
}

TEST_F(Macvlan, MacComesFromTheStrongestOfThreeSources) {
  Attachment job = attachment(config(R"({"mac": "02:00:00:00:00:01"})"), "c1");
  const auto expect_mac = [&](const char* mac) {
    EXPECT_EQ(container_interface(must_add(job))["mac"], mac);
    EXPECT_EQ(find_link("eth0", netns(job))->at("address"), mac);
  };
  expect_mac("02:00:00:00:00:01");
  job = attachment(config(R"({"mac": "02:00:00:00:00:01"})"), "c2");
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;MAC=02:00:00:00:00:02";
  expect_mac("02:00:00:00:00:02");
  job = attachment(config(R"({"mac": "02:00:00:00:00:01",
                              "runtimeConfig": {"mac": "02:00:00:00:00:03"}})"),
                   "c3");
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;MAC=02:00:00:00:00:02";
  expect_mac("02:00:00:00:00:03");
}

TEST_F(Macvlan, AMacThatASiblingHasIsRefused) {
  const Json same = config(R"({"mac": "02:00:00:00:00:01"})");
  must_add(attachment(same, "c1"));
  const Attachment second = attachment(same, "c2");
  EXPECT_THAT(expect_refused_without_a_trace(second, netns(second))["msg"],
              AllOf(HasSubstr("eth0"), HasSubstr("EADDRINUSE")));
}

TEST_F(Macvlan, MtuIsAtMostTheParents) {
  tool({"ip", "link", "set", "up0", "mtu", "1400"});
  const Attachment inherits = attachment(config(), "c1");
  EXPECT_EQ(container_interface(must_add(inherits))["mtu"], 1400);
  const Attachment smaller = attachment(config(R"({"mtu": 1300})"), "c2");
  const Json result = must_add(smaller);
  EXPECT_EQ(container_interface(result)["mtu"], 1300);
  EXPECT_EQ(find_link("eth0", netns(smaller))->at("mtu"), 1300);
  Attachment checked = smaller;
  checked.config["mtu"] = 1200;
  EXPECT_THAT(expect_error(checked.check(result))["msg"], HasSubstr("1200"));
  const Attachment greater = attachment(config(R"({"mtu": 1401})"), "c3");
  EXPECT_EQ(expect_refused_without_a_trace(greater, netns(greater), 7)["msg"],
            "macvlan: invalid MTU 1401, must be [0, master MTU(1400)]");
}

TEST_F(Macvlan, BroadcastQueueIsTheParents) {
  const Attachment job = attachment(config(R"({"bcqueuelen": 2345})"));
  must_add(job);
  EXPECT_EQ(kind_data("eth0", netns(job))["bcqueuelen"], 2345);
}

TEST_F(Macvlan, WithoutMasterItIsTheDefaultRoutes) {
  for (const char* family : {"-4", "-6"}) {
    SCOPED_TRACE(family);
    const bool v6 = std::string(family) == "-6";
    Uplink other(v6 ? "up6" : "up4");
    const std::string name = v6 ? "up6" : "up4";
    const Attachment job =
        attachment(config(R"({"master": null})"), std::string("c") + (v6 ? "6" : "4"));
    EXPECT_EQ(expect_refused_without_a_trace(job, netns(job))["msg"],
              "macvlan: master: no default route interface found on this host");
    tool({"ip", family, "route", "add", "default", "dev", name});
    const Json result = must_add(job);
    EXPECT_EQ(find_link("eth0", netns(job))->at("link_index"), find_link(name)->at("ifindex"));
    expect_silent_success(job.check(result));
    // Neither needs the route again, which may have moved since.
    tool({"ip", family, "route", "del", "default"});
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    EXPECT_THAT(link_names(netns(job)), IsEmpty());
  }
}

TEST_F(Macvlan, TheParentMayHaveTheInterfacesOwnName) {
  const Uplink other("eth0");
  const Attachment job = attachment(config(R"({"master": "eth0"})"));
  const Json result = must_add(job);
  expect_silent_success(job.check(result));
  EXPECT_TRUE(pings(netns(job), "10.1.2.1"));
  expect_silent_success(job.del(result));
  EXPECT_EQ(find_link("eth0")->at("linkinfo")["info_kind"], "veth");
}

TEST_F(Macvlan, TheParentMayBeInTheContainer) {
  const Attachment job = attachment(config(R"({"linkInContainer": true, "master": "inner"})"));
  const Container& inside = container_of(job);
  EXPECT_EQ(expect_refused_without_a_trace(job, inside.fd())["msg"],
            "macvlan: master inner doesn't exist in the container's namespace");
  inside.run({"ip", "link", "add", "inner", "type", "bridge"});
  inside.run({"ip", "link", "set", "inner", "up"});
  const Snapshot before = kernel_snapshot(inside.fd());
  const Json result = must_add(job);
  EXPECT_EQ(find_link("eth0", inside.fd())->at("link"), "inner");
  expect_silent_success(job.check(result));
  Attachment outside = job;
  outside.config = config();
  EXPECT_THAT(expect_error(outside.check(result))["msg"], HasSubstr("up0 on this host"));
  expect_silent_success(job.del(result));
  EXPECT_EQ(difference(before, kernel_snapshot(inside.fd())), "");
}

TEST_F(Macvlan, ADownParentIsWarnedOfAndStaysDown) {
  tool({"ip", "link", "set", "up0", "down"});
  const Attachment job = attachment(config());
  const Output output = job.add();
  ASSERT_TRUE(output.ok()) << output.str();
  EXPECT_THAT(output.err, HasSubstr("ip link set up0 up"));
  EXPECT_THAT(find_link("up0")->at("flags").dump(), Not(HasSubstr("\"UP\"")));
  tool({"ip", "link", "set", "up0", "up"});
  EXPECT_TRUE(pings(netns(job), "10.1.2.1"));
}

TEST_F(Macvlan, Layer2HasNoAddresses) {
  const Attachment job = attachment(config(R"({"ipam": null})"));
  const Json result = must_add(job);
  EXPECT_FALSE(result.contains("ips"));
  EXPECT_THAT(addresses_of("eth0", netns(job)), IsEmpty());
  EXPECT_THAT(find_link("eth0", netns(job))->at("flags").dump(), HasSubstr("\"UP\""));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
}

TEST_F(Macvlan, Ipv6Only) {
  const Attachment job = attachment(config(
      R"({"ipam": {"ranges": [[{"subnet": "fd00:1:2::/64"}]], "routes": [{"dst": "::/0"}]}})"));
  const Json result = must_add(job);
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("fd00:1:2::2/64"));
  EXPECT_TRUE(pings(netns(job), "fd00:1:2::1"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(Macvlan, WhoKnewTheAddressElsewhereIsTold) {
  const Json one = config(R"({"ipam": {"ranges": [[{"subnet": "10.1.2.0/30"}],
                                                  [{"subnet": "fd00:1:2::/126",
                                                    "rangeEnd": "fd00:1:2::2"}]]}})");
  const int outside = uplink_.outside().fd();
  const Attachment first = attachment(one, "c1");
  must_add(first);
  EXPECT_TRUE(pings(outside, "10.1.2.2"));
  EXPECT_TRUE(pings(outside, "fd00:1:2::2"));
  expect_silent_success(first.del());
  const Attachment second = attachment(one, "c2");
  must_add(second);
  constexpr double kMuchLessThanAnArpTimeout = 200;
  EXPECT_LT(first_packet_ms(outside, netns(second), "10.1.2.2", 7777), kMuchLessThanAnArpTimeout);
  EXPECT_LT(first_packet_ms(outside, netns(second), "fd00:1:2::2", 7777),
            kMuchLessThanAnArpTimeout);
}

TEST_F(Macvlan, ARouteThatTheKernelRefusesLeavesNothing) {
  const Attachment job = attachment(config(R"({"ipam": {"routes": [
      {"dst": "0.0.0.0/0"}, {"dst": "10.99.0.0/16", "gw": "192.168.77.1"}]}})"));
  EXPECT_THAT(expect_refused_without_a_trace(job, netns(job))["msg"], HasSubstr("10.99.0.0/16"));
  EXPECT_THAT(reservations("net"), IsEmpty());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(Macvlan, AMissingParentCostsNoAddress) {
  const Attachment job = attachment(config(R"({"master": "none0"})"));
  EXPECT_EQ(expect_refused_without_a_trace(job, netns(job))["msg"],
            "macvlan: master none0 doesn't exist on this host");
  EXPECT_FALSE(exists("/var/lib/cni/networks/net")) << "IPAM was asked";
}

TEST_F(Macvlan, AParentThatIsNoEthernetLinkIsNamed) {
  const Attachment job = attachment(config(R"({"master": "lo"})"));
  const Json error = expect_refused_without_a_trace(job, netns(job));
  EXPECT_THAT(error["msg"], AllOf(HasSubstr("create macvlan eth0"), HasSubstr("on lo")));
  EXPECT_THAT(error.value("details", ""), HasSubstr("Ethernet"));
}

TEST_F(Macvlan, AParentThatABridgeUsesIsNamed) {
  tool({"ip", "link", "add", "br9", "type", "bridge"});
  tool({"ip", "link", "set", "up0", "master", "br9"});
  const Attachment job = attachment(config());
  const Json error = expect_refused_without_a_trace(job, netns(job));
  EXPECT_THAT(error["msg"], AllOf(HasSubstr("on up0"), HasSubstr("EBUSY")));
  EXPECT_THAT(error.value("details", ""), HasSubstr("bridge"));
}

TEST_F(Macvlan, KillAtAnyStepAndThenDelLeavesNothing) {
  const Snapshot before = snapshot();
  for (int k = 1;; ++k) {
    ASSERT_LT(k, 100);
    const Attachment job = attachment(config(), "c" + std::to_string(k));
    const Snapshot inside = kernel_snapshot(netns(job));
    const Stop stop = kill_at(job.spawn("ADD", job.config), k);
    SCOPED_TRACE("killed before step " + stop.step);
    expect_silent_success(job.del());
    EXPECT_EQ(difference(before, snapshot()), "");
    EXPECT_EQ(difference(inside, kernel_snapshot(netns(job))), "");
    if (HasFailure()) return;
    if (!stop.reached) {
      EXPECT_GT(k, 8) << "too few steps to be true";
      return;
    }
  }
}

// DEL in all the states that a runtime may find things in.
class MacvlanDel : public Macvlan {
 protected:
  void SetUp() override {
    job_ = attachment(config());
    before_ = snapshot();
    result_ = must_add(job_);
  }
  void expect_nothing_left() {
    EXPECT_EQ(difference(before_, snapshot()), "");
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }
  Attachment job_;
  Snapshot before_;
  Json result_;
};

TEST_F(MacvlanDel, WithoutNetnsVariableTwice) {
  job_.netns = "";
  expect_silent_success(job_.del());
  expect_silent_success(job_.del());
  expect_nothing_left();
}

TEST_F(MacvlanDel, NamespaceDeletedFirst) {
  container_of(job_).remove();
  expect_silent_success(job_.del());
  expect_silent_success(job_.del());
  expect_nothing_left();
}

TEST_F(MacvlanDel, ParentDeletedFirst) {
  tool({"ip", "link", "del", "up0"});
  before_ = without_link(before_, "up0");
  expect_error(job_.check(result_));
  expect_silent_success(job_.del());
  expect_nothing_left();
}

TEST_F(MacvlanDel, JournalLostAndNoPrevResult) {
  tool({"rm", "-r", "/run/unicni"});
  expect_silent_success(job_.del());
  expect_nothing_left();
  EXPECT_THAT(link_names(container_of(job_).fd()), IsEmpty());
}

TEST_F(MacvlanDel, PathIsAnotherContainersNow) {
  const Attachment other = attachment(config(), "c2");
  const Json other_result = must_add(other);
  container_of(job_).remove();
  tool({"ln", "-s", other.netns, job_.netns});
  expect_silent_success(job_.del());
  expect_silent_success(job_.del(result_));
  expect_silent_success(other.check(other_result));
  EXPECT_THAT(reservations("net"), ElementsAre("10.1.2.3", "fd00:1:2::3"));
}

// Without IPAM nothing but the place says whose the link is.
TEST_F(MacvlanDel, WithoutAnyOtherEvidenceTheParentAndTheModeDecide) {
  Json layer2 = config(R"({"ipam": null})");
  layer2["name"] = "l2";
  const auto forget_and_delete = [&](const char* name, const char* changes) {
    const Attachment job = attachment(layer2, name);
    must_add(job);
    tool({"rm", "-r", "/run/unicni"});
    Attachment as = job;
    as.config.merge_patch(Json::parse(changes));
    expect_silent_success(as.del());
    return link_names(container_of(job).fd());
  };
  const Uplink other("up1");
  EXPECT_THAT(forget_and_delete("d1", R"({"mode": "private"})"), ElementsAre("eth0"));
  EXPECT_THAT(forget_and_delete("d2", R"({"master": "up1"})"), ElementsAre("eth0"));
  EXPECT_THAT(forget_and_delete("d3", R"({"linkInContainer": true})"), ElementsAre("eth0"));
  EXPECT_THAT(forget_and_delete("d4", "{}"), IsEmpty());
}

TEST_F(MacvlanDel, AttachmentsOfTheReferenceAreRemoved) {
  Attachment old = attachment(with_version(config(), "1.0.0"), "old");
  old.folder = old.cni_path = kReferenceDir;
  const Json result = must_add(old);
  old.folder = old.cni_path = "";
  expect_silent_success(old.check(result));
  expect_silent_success(old.del());
  EXPECT_THAT(link_names(container_of(old).fd()), IsEmpty());
  EXPECT_THAT(reservations("net"), ElementsAre("10.1.2.2", "fd00:1:2::2"));
}

TEST_F(MacvlanDel, CheckSeesWhatBecameOfIt) {
  const Container& inside = container_of(job_);
  const auto expect_found = [&](const std::string& what) {
    EXPECT_THAT(expect_error(job_.check(result_))["msg"], HasSubstr(what));
  };
  inside.run({"ip", "link", "set", "eth0", "mtu", "1300"});
  expect_found("1300");
  inside.run({"ip", "link", "set", "eth0", "mtu", "1500"});
  inside.run({"ip", "route", "del", "default"});
  expect_found("0.0.0.0/0");
  inside.run({"ip", "route", "add", "default", "via", "10.1.2.1"});
  expect_silent_success(job_.check(result_));
  const std::string mac = container_interface(result_)["mac"];
  inside.run({"ip", "link", "del", "eth0"});
  const Uplink other("up1");
  tool({"ip", "link", "add", "link", "up1", "name", "eth0", "address", mac, "netns", job_.netns,
        "type", "macvlan", "mode", "bridge"});
  inside.run({"ip", "link", "set", "eth0", "up"});
  expect_found("parent of eth0 is not up0");
}

TEST_F(MacvlanDel, GcTakesWhatIsNotValidAndLeavesTheRest) {
  const Attachment other = attachment(config(), "c2");
  const Json other_result = must_add(other);
  Attachment nobody = job_;
  nobody.container_id = nobody.netns = nobody.if_name = "";
  expect_silent_success(nobody.gc(Json::array({valid_entry(other)})));
  EXPECT_THAT(link_names(container_of(job_).fd()), IsEmpty());
  EXPECT_THAT(reservations("net"), ElementsAre("10.1.2.3", "fd00:1:2::3"));
  EXPECT_THAT(files_in(kJournals), ElementsAre("net:c2:eth0"));
  expect_silent_success(other.check(other_result));
}

TEST_F(Macvlan, StatusTellsOfAParentThatAddWouldMiss) {
  Attachment nobody{.config = config(), .netns = "", .container_id = "", .if_name = ""};
  expect_silent_success(nobody.status());
  nobody.config = config(R"({"master": "none0"})");
  EXPECT_THAT(expect_error(nobody.status(), 50)["msg"], HasSubstr("none0"));
  nobody.config = config(R"({"master": null})");
  EXPECT_THAT(expect_error(nobody.status(), 50)["msg"], HasSubstr("default route"));
  nobody.config = config(R"({"mtu": 9000})");
  EXPECT_THAT(expect_error(nobody.status(), 50)["msg"], HasSubstr("9000"));
  nobody.config = config(R"({"master": "inner", "linkInContainer": true})");
  expect_silent_success(nobody.status());
}

}  // namespace
}  // namespace unicni::test::macvlan_test
