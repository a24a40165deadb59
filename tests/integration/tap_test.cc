// tap: what it makes in the container, and that nothing of it stays.
#include "integration/del_states.h"
#include "support/tracer.h"

namespace unicni::test::tap_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Tap : public DelStates {
 protected:
  static Json config(const std::string& changes = "{}") {
    Json config = Json::parse(R"({
      "cniVersion": "1.1.0", "name": "net", "type": "tap",
      "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.2.0/24"}], [{"subnet": "fd00:1:2::/64"}]],
               "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}
    })");
    config.merge_patch(Json::parse(changes));
    return config;
  }
  Json link(const Attachment& job) { return find_link("eth0", netns(job)).value_or(Json()); }
  Json tap_data(const Attachment& job) { return link(job).at("linkinfo").at("info_data"); }
  void warm_up() {
    const Attachment job = attachment(config(), "warm");
    must_add(job);
    expect_silent_success(job.del());
  }
  /// Nothing but this module's own link is hidden from it.
  static void hide_tun_device() { tool({"mount", "-t", "tmpfs", "tmpfs", "/dev/net"}); }
};

TEST_F(Tap, ResultIsTheKernels) {
  const Attachment job = attachment(config(R"({"mtu": 1400})"));
  const Json result = must_add(job);
  ASSERT_EQ(result["interfaces"].size(), 1U) << result;
  const Json tap = link(job);
  EXPECT_EQ(
      result["interfaces"][0],
      (Json{{"mac", tap.at("address")}, {"mtu", 1400}, {"name", "eth0"}, {"sandbox", job.netns}}));
  EXPECT_EQ(tap.at("mtu"), 1400);
  EXPECT_EQ(tap_data(job).at("type"), "tap");
  EXPECT_EQ(tap_data(job).at("pi"), false);
  EXPECT_EQ(tap_data(job).at("vnet_hdr"), false);
  EXPECT_EQ(tap_data(job).at("persist"), true);
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("10.1.2.2/24", "fd00:1:2::2/64"));
  EXPECT_THAT(routes_of(netns(job)), ElementsAre("default via 10.1.2.1", "10.1.2.0/24",
                                                 "fd00:1:2::/64", "default6 via fd00:1:2::1"));
  EXPECT_EQ(result["ips"][0]["interface"], 0);
  EXPECT_EQ(result["ips"][1]["interface"], 0);
  expect_silent_success(job.check(result));
}

TEST_F(Tap, MtuAndMacAreAppliedWithOwnerAndGroup) {
  const Attachment job = attachment(
      config(R"({"mtu": 1400, "mac": "02:00:00:00:00:01", "owner": 54321, "group": 54322})"));
  must_add(job);
  EXPECT_EQ(link(job).at("mtu"), 1400);
  EXPECT_EQ(link(job).at("address"), "02:00:00:00:00:01");
  EXPECT_EQ(tap_data(job).at("user").dump(), "54321");
  EXPECT_EQ(tap_data(job).at("group").dump(), "54322");
  EXPECT_EQ(tap_data(job).at("pi"), false);
  EXPECT_EQ(tap_data(job).at("vnet_hdr"), false);
}

TEST_F(Tap, MultiQueue) {
  const Attachment one = attachment(config(), "c1");
  const Attachment several = attachment(config(R"({"multiQueue": true})"), "c2");
  must_add(one);
  must_add(several);
  EXPECT_EQ(tap_data(one).at("multi_queue"), false);
  EXPECT_EQ(tap_data(several).at("multi_queue"), true);
}

TEST_F(Tap, MacComesFromTheStrongestOfThreeSources) {
  Attachment job = attachment(config(R"({"mac": "02:00:00:00:00:01"})"), "c1");
  EXPECT_EQ(must_add(job)["interfaces"][0]["mac"], "02:00:00:00:00:01");
  job = attachment(config(R"({"mac": "02:00:00:00:00:01"})"), "c2");
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;MAC=02:00:00:00:00:02";
  EXPECT_EQ(must_add(job)["interfaces"][0]["mac"], "02:00:00:00:00:02");
  job = attachment(
      config(R"({"mac": "02:00:00:00:00:01", "runtimeConfig": {"mac": "02:00:00:00:00:03"}})"),
      "c3");
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;MAC=02:00:00:00:00:02";
  EXPECT_EQ(must_add(job)["interfaces"][0]["mac"], "02:00:00:00:00:03");
  EXPECT_EQ(link(job).at("address"), "02:00:00:00:00:03");
}

TEST_F(Tap, IsAPortOfTheContainersBridge) {
  const Attachment job = attachment(config(R"({"ipam": null, "bridge": "br0"})"));
  container_of(job).run({"ip", "link", "add", "br0", "type", "bridge"});
  // The host's own bridge of that name is another one.
  tool({"ip", "link", "add", "br0", "type", "bridge"});
  const Json result = must_add(job);
  EXPECT_EQ(link(job).at("master"), "br0");
  EXPECT_THAT(link(job).at("flags").dump(), HasSubstr("\"UP\""));
  expect_silent_success(job.check(result));
  container_of(job).run({"ip", "link", "set", "eth0", "nomaster"});
  EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr("no port of br0"));
  expect_silent_success(job.del(result));
  EXPECT_THAT(link_names(netns(job)), ElementsAre("br0"));
}

TEST_F(Tap, MissingBridgeIsRefusedBeforeActing) {
  warm_up();
  const Attachment job = attachment(config(R"({"bridge": "br0"})"));
  EXPECT_THAT(expect_no_trace(job)["msg"], HasSubstr("bridge br0"));
  container_of(job).run({"ip", "link", "add", "br0", "type", "veth", "peer", "name", "p0"});
  EXPECT_THAT(expect_no_trace(job)["msg"], HasSubstr("no bridge"));
}

TEST_F(Tap, SelinuxContextIsRefusedWithoutSelinux) {
  if (read_file("/proc/filesystems").find("selinuxfs") != std::string::npos) return;
  const Attachment job =
      attachment(config(R"({"selinuxContext": "system_u:system_r:container_t:s0"})"));
  const Json error = expect_no_trace(job, 7);
  EXPECT_THAT(error["msg"], HasSubstr("selinuxContext"));
  EXPECT_THAT(error["msg"], HasSubstr("system_u:system_r:container_t:s0"));
}

TEST_F(Tap, WithoutTunDeviceAddAndStatusSayWhatIsMissing) {
  warm_up();
  hide_tun_device();
  const Json error = expect_no_trace(attachment(config()));
  EXPECT_THAT(error["msg"], HasSubstr("/dev/net/tun"));
  EXPECT_THAT(error["details"], HasSubstr("modprobe tun"));
  EXPECT_THAT(error["details"], HasSubstr("mknod /dev/net/tun c 10 200"));
  const Attachment nobody{.config = config(), .netns = "", .container_id = "", .if_name = ""};
  EXPECT_THAT(expect_error(nobody.status(), 50)["msg"], HasSubstr("/dev/net/tun"));
}

TEST_F(Tap, StatusIsReady) {
  const Attachment nobody{.config = config(), .netns = "", .container_id = "", .if_name = ""};
  expect_silent_success(nobody.status());
}

TEST_F(Tap, Layer2HasNoAddresses) {
  const Attachment job = attachment(config(R"({"ipam": null})"));
  const Json result = must_add(job);
  EXPECT_FALSE(result.contains("ips"));
  EXPECT_THAT(addresses_of("eth0", netns(job)), IsEmpty());
  EXPECT_THAT(link(job).at("flags").dump(), HasSubstr("\"UP\""));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del());
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
  const Attachment old = attachment(with_version(config(R"({"ipam": null})"), "0.2.0"), "c2");
  expect_no_trace(old, 7);
}

TEST_F(Tap, Ipv6OnlyWorksInEveryVersion) {
  for (const char* version : {"0.2.0", "0.4.0", "1.1.0"}) {
    SCOPED_TRACE(version);
    const Json v6 = config(R"({"ipam": {"ranges": [[{"subnet": "fd00:1:2::/64"}]],
                                        "routes": [{"dst": "::/0"}]}})");
    const Attachment job = attachment(with_version(v6, version), std::string("c") + version);
    must_add(job);
    EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre(::testing::Not(HasSubstr("?"))));
    expect_silent_success(job.del());
  }
}

TEST_F(Tap, RouteBeyondItsSubnetsLeavesNothing) {
  warm_up();
  const Json error = expect_no_trace(attachment(
      config(R"({"ipam": {"routes": [{"dst": "10.99.0.0/16", "gw": "192.168.77.1"}]}})")));
  EXPECT_THAT(error["msg"], HasSubstr("gateway 192.168.77.1 of route 10.99.0.0/16"));
  EXPECT_THAT(reservations("net"), IsEmpty());
}

TEST_F(Tap, MtuThatTheKernelRefusesLeavesNothing) {
  warm_up();
  EXPECT_THAT(expect_no_trace(attachment(config(R"({"mtu": 65535})")))["msg"],
              HasSubstr("MTU 65535"));
}

TEST_F(Tap, DelInEveryState) { expect_del_in_every_state(config(), false); }

TEST_F(Tap, DelOfAnotherTapOnLayer2NeedsEvidence) {
  const Attachment job =
      attachment(config(R"({"ipam": null, "mac": "02:00:00:00:00:01", "owner": 1000})"));
  must_add(job);
  tool({"rm", "-r", "/run/unicni"});
  Attachment other = job;
  other.config = config(R"({"ipam": null, "mac": "02:00:00:00:00:02", "owner": 1000})");
  const Output output = other.del();
  EXPECT_TRUE(output.ok());
  EXPECT_THAT(output.err, HasSubstr("left alone"));
  EXPECT_THAT(link_names(netns(job)), ElementsAre("eth0"));
  expect_silent_success(job.del());
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
}

TEST_F(Tap, KilledAddIsUndoneByDel) {
  warm_up();
  const Snapshot before = snapshot();
  for (int k = 1;; ++k) {
    ASSERT_LT(k, 200);
    containers_.clear();
    const Attachment job = attachment(config(R"({"owner": 1000, "mtu": 1400})"));
    const Stop stop = kill_at(job.spawn("ADD", job.config), k);
    if (!stop.reached) {
      EXPECT_EQ(stop.output.status, 0) << stop.output.out;
      EXPECT_GT(k, 10) << "too few steps to be true";
      return;
    }
    SCOPED_TRACE("killed before step " + stop.step);
    expect_silent_success(job.del());
    EXPECT_EQ(difference(before, snapshot()), "");
    EXPECT_THAT(link_names(netns(job)), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    if (HasFailure()) return;
  }
}

TEST_F(Tap, GcRemovesStaleOnesInTheirNamespaces) {
  const Attachment kept = attachment(config(), "kept");
  const Json result = must_add(kept);
  const Attachment stale = attachment(config(), "stale");
  must_add(stale);
  const Attachment collector{.config = config(), .netns = "", .container_id = "", .if_name = ""};
  expect_silent_success(collector.gc(Json::array({valid_entry(kept)})));
  EXPECT_THAT(link_names(netns(stale)), IsEmpty());
  EXPECT_THAT(reservations("net"), ElementsAre("10.1.2.2", "fd00:1:2::2"));
  expect_silent_success(kept.check(result));
}

// CHECK

class TapCheck : public Tap {
 protected:
  void SetUp() override {
    job_ = attachment(config(R"({"mtu": 1400, "mac": "02:00:00:00:00:01", "owner": 1000})"));
    result_ = must_add(job_);
    expect_silent_success(job_.check(result_));
  }
  void expect_found(const std::string& what) {
    EXPECT_THAT(expect_error(job_.check(result_))["msg"], HasSubstr(what));
  }
  void inside(const std::vector<std::string>& argv) { container_of(job_).run(argv); }
  Attachment job_;
  Json result_;
};

TEST_F(TapCheck, SeesMtuMacAndState) {
  inside({"ip", "link", "set", "eth0", "mtu", "1300"});
  expect_found("MTU 1300");
  inside({"ip", "link", "set", "eth0", "mtu", "1400"});
  inside({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:09"});
  expect_found("02:00:00:00:00:09");
  inside({"ip", "link", "set", "eth0", "address", "02:00:00:00:00:01"});
  expect_silent_success(job_.check(result_));
  inside({"ip", "link", "set", "eth0", "down"});
  expect_found("down");
}

TEST_F(TapCheck, SeesAnotherOwnerGroupAndQueues) {
  job_.config["owner"] = 1001;
  expect_found("owned by uid 1000");
  job_.config["owner"] = 1000;
  job_.config["group"] = 5;
  expect_found("belongs to gid nobody");
  job_.config.erase("group");
  job_.config["multiQueue"] = true;
  expect_found("one queue");
}

TEST_F(TapCheck, SeesAnotherKindOfLink) {
  inside({"ip", "link", "del", "eth0"});
  inside({"ip", "tuntap", "add", "mode", "tun", "name", "eth0"});
  expect_error(job_.check(result_));
  inside({"ip", "link", "del", "eth0"});
  inside({"ip", "link", "add", "eth0", "address", "02:00:00:00:00:01", "type", "bridge"});
  expect_found("is a bridge link");
}

TEST_F(TapCheck, SeesAddressAndRouteMissing) {
  inside({"ip", "-6", "route", "del", "default"});
  expect_found("::/0");
  inside({"ip", "addr", "del", "10.1.2.2/24", "dev", "eth0"});
  expect_found("10.1.2.2/24");
}

}  // namespace
}  // namespace unicni::test::tap_test
