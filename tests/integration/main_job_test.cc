// The job that every CNI tutorial begins with: 10-mynet.conf and 99-loopback.conf.
#include "integration/host_test.h"
#include "support/traffic.h"

namespace unicni::test::main_job_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MainJob : public HostTest {
 protected:
  /// ADD of mynet, compared with the kernel; the container's address.
  void expect_attached(const Attachment& job);
};

void MainJob::expect_attached(const Attachment& job) {
  const int netns = container_of(job).fd();
  EXPECT_THAT(link_names(netns), ElementsAre("eth0"));
  EXPECT_THAT(addresses_of("eth0", netns), ElementsAre("10.22.0.2/16"));
  EXPECT_THAT(routes_of(netns), ElementsAre("default via 10.22.0.1", "10.22.0.0/16"));
  EXPECT_THAT(addresses_of("cni0"), ElementsAre("10.22.0.1/16"));
  EXPECT_EQ(sysctl("net/ipv4/ip_forward"), "1");
  EXPECT_THAT(masqueraded(4), ElementsAre("10.22.0.2 mynet/" + job.container_id + "/eth0"));
  EXPECT_THAT(reservations("mynet"), ElementsAre("10.22.0.2"));
  EXPECT_EQ(read_file("/var/lib/cni/networks/mynet/10.22.0.2"), job.container_id + "\r\neth0");
}

TEST_F(MainJob, ClassicFilesGiveTheClassicResultAndLeaveNothing) {
  const Attachment job = attachment(mynet());
  const Attachment lo = {.config = Json::parse(R"({"cniVersion":"0.2.0","type":"loopback"})"),
                         .netns = job.netns,
                         .if_name = "lo"};
  const Container& inside = container_of(job);
  const Snapshot host = snapshot();
  const Snapshot container = kernel_snapshot(inside.fd());

  must_add(lo);
  const Json result = must_add(job);
  EXPECT_EQ(result, Json::parse(R"({
    "cniVersion": "0.2.0",
    "ip4": {"ip": "10.22.0.2/16", "gateway": "10.22.0.1", "routes": [{"dst": "0.0.0.0/0"}]},
    "dns": {}
  })"));
  expect_attached(job);
  EXPECT_TRUE(pings(inside.fd(), "10.22.0.1"));
  EXPECT_TRUE(pings(inside.fd(), "127.0.0.1"));

  expect_silent_success(job.del());
  expect_silent_success(lo.del());
  EXPECT_EQ(left_on_host(host), "");
  // the kernel leaves lo its addresses when it goes down
  EXPECT_EQ(
      difference(without_link(container, "lo"), without_link(kernel_snapshot(inside.fd()), "lo")),
      "");
  EXPECT_THAT(find_link("lo", inside.fd())->at("flags").dump(),
              ::testing::Not(::testing::HasSubstr("\"UP\"")));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
  EXPECT_THAT(reservations("mynet"), IsEmpty());
}

TEST_F(MainJob, InterfacesOfTheResultAreTheKernels) {
  const Attachment job = attachment(mynet_1_0());
  const Json result = must_add(job);
  ASSERT_EQ(result["interfaces"].size(), 3U) << result;
  const Json& bridge = result["interfaces"][0];
  const Json& port = result["interfaces"][1];
  const Json& inner = result["interfaces"][2];
  EXPECT_EQ(bridge, (Json{{"mac", find_link("cni0")->at("address")}, {"name", "cni0"}}));
  EXPECT_EQ(inner["name"], "eth0");
  EXPECT_EQ(inner["sandbox"], job.netns);
  const auto eth0 = find_link("eth0", container_of(job).fd());
  ASSERT_TRUE(eth0);
  EXPECT_EQ(inner["mac"], eth0->at("address"));
  const auto veth = find_link(port["name"]);
  ASSERT_TRUE(veth) << result;
  EXPECT_EQ(port["mac"], veth->at("address"));
  EXPECT_EQ(veth->at("master"), "cni0");
  EXPECT_EQ(veth->value("ifalias", ""), "mynet/c1/eth0");
  EXPECT_EQ(result["ips"],
            Json::parse(R"([{"address":"10.22.0.2/16","gateway":"10.22.0.1","interface":2}])"));
  EXPECT_EQ(result["routes"], Json::parse(R"([{"dst":"0.0.0.0/0"}])"));
  EXPECT_FALSE(result.contains("dns"));
}

TEST_F(MainJob, InterfacesTellTheirMtuAt110) {
  Json config = with_version(mynet(), "1.1.0");
  config["mtu"] = 1400;
  const Attachment job = attachment(config);
  const Json result = must_add(job);
  ASSERT_EQ(result["interfaces"].size(), 3U) << result;
  for (const Json& each : result["interfaces"]) EXPECT_EQ(each.value("mtu", 0), 1400) << result;
  EXPECT_EQ(find_link("cni0")->at("mtu"), 1400);
  expect_silent_success(job.check(result));
  container_of(job).run({"ip", "link", "set", "eth0", "mtu", "1300"});
  EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr("1300"));
}

TEST_F(MainJob, EveryVersionGetsItsLayout) {
  for (const std::string& version : kVersions) {
    SCOPED_TRACE(version);
    const Attachment job = attachment(with_version(mynet(), version), "v" + version);
    const Json result = must_add(job);
    EXPECT_EQ(result["cniVersion"], version);
    if (version < "0.3") {
      EXPECT_EQ(result["ip4"]["gateway"], "10.22.0.1");
      EXPECT_EQ(result["dns"], Json::object());
      EXPECT_FALSE(result.contains("interfaces") || result.contains("ips"));
    } else {
      EXPECT_EQ(result["interfaces"].size(), 3U);
      EXPECT_EQ(result["ips"][0]["interface"], 2);
      EXPECT_EQ(result["ips"][0].contains("version"), version < "1");
      EXPECT_EQ(result.contains("dns"), version < "1");
    }
    if (version < "0.4") {
      expect_error(job.check(result), 1);
      expect_silent_success(job.del());
    } else {
      expect_silent_success(job.check(result));
      expect_silent_success(job.del(result));
    }
  }
  EXPECT_THAT(masqueraded(4), IsEmpty());
  EXPECT_THAT(link_names(), ElementsAre("cni0"));
}

TEST_F(MainJob, WithoutAVersionTheConfigurationIs0_1_0) {
  Json config = mynet();
  config.erase("cniVersion");
  EXPECT_EQ(must_add(attachment(config))["cniVersion"], "0.1.0");
}

// DEL in all the states that a runtime may find things in.
class MainJobDel : public MainJob {
 protected:
  void SetUp() override {
    job_ = attachment(mynet_1_0());
    before_ = snapshot();
    result_ = must_add(job_);
    expect_attached(job_);
  }
  void expect_nothing_left() {
    EXPECT_EQ(left_on_host(before_), "");
    EXPECT_THAT(files_in(kJournals), IsEmpty());
  }
  Attachment job_;
  Snapshot before_;
  Json result_;
};

TEST_F(MainJobDel, WithPrevResult) {
  expect_silent_success(job_.del(result_));
  expect_nothing_left();
  EXPECT_THAT(link_names(container_of(job_).fd()), IsEmpty());
}

TEST_F(MainJobDel, TwiceAndThenAddedAgain) {
  expect_silent_success(job_.del());
  expect_silent_success(job_.del());
  expect_nothing_left();
  must_add(job_);
  EXPECT_THAT(addresses_of("eth0", container_of(job_).fd()), ElementsAre("10.22.0.3/16"));
}

TEST_F(MainJobDel, WithoutNetnsVariable) {
  job_.netns = "";
  expect_silent_success(job_.del());
  expect_nothing_left();
}

TEST_F(MainJobDel, NetnsPathMissingButNamespaceAlive) {
  tool({"umount", job_.netns});
  tool({"rm", job_.netns});
  expect_silent_success(job_.del());
  expect_nothing_left();
  EXPECT_THAT(link_names(container_of(job_).fd()), IsEmpty());
}

TEST_F(MainJobDel, NamespaceDeletedFirst) {
  container_of(job_).remove();
  expect_silent_success(job_.del());
  expect_nothing_left();
}

TEST_F(MainJobDel, NetnsPathIsAnotherContainersNow) {
  Container& old = container_of(job_);
  const Attachment other = attachment(mynet_1_0(), "c2");
  const Json other_result = must_add(other);
  old.remove();
  tool({"ln", "-s", other.netns, job_.netns});
  expect_silent_success(job_.del());
  EXPECT_THAT(addresses_of("eth0", container_of(other).fd()), ElementsAre("10.22.0.3/16"));
  expect_silent_success(other.check(other_result));
  EXPECT_THAT(reservations("mynet"), ElementsAre("10.22.0.3"));
  EXPECT_THAT(masqueraded(4), ElementsAre("10.22.0.3 mynet/c2/eth0"));
}

TEST_F(MainJobDel, JournalLost) {
  tool({"rm", "-r", "/run/unicni"});
  expect_silent_success(job_.del());
  expect_nothing_left();
}

TEST_F(MainJobDel, OfAnotherContainerTouchesNothing) {
  const Snapshot full = snapshot();
  Attachment foreign = job_;
  foreign.container_id = "c9";
  foreign.netns = "";
  expect_silent_success(foreign.del());
  foreign.netns = container("c9").path();
  expect_silent_success(foreign.del());
  EXPECT_EQ(difference(full, snapshot()), "");
}

TEST_F(MainJobDel, SecondAddIsRefusedAndHarmsNothing) {
  const Snapshot full = snapshot();
  expect_error(job_.add());
  EXPECT_EQ(difference(full, snapshot()), "");
  expect_silent_success(job_.check(result_));
}

TEST_F(MainJobDel, NetnsMayBeADescriptorPath) {
  expect_silent_success(job_.del());
  job_.netns =
      "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(container_of(job_).fd());
  const Json result = must_add(job_);
  EXPECT_EQ(container_interface(result)["sandbox"], job_.netns);
  expect_silent_success(job_.check(result));
  expect_silent_success(job_.del());
  expect_nothing_left();
}

}  // namespace
}  // namespace unicni::test::main_job_test
