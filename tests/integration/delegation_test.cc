// IPAM plugins that aren't ours, and our IPAM under a plugin that isn't ours.
#include "integration/host_test.h"
#include "support/recorder.h"

namespace unicni::test::delegation_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Json small_net(const std::string& ipam = "host-local") {
  Json config = Json::parse(R"({
    "cniVersion": "1.0.0", "name": "net", "type": "bridge", "bridge": "br0", "isGateway": true,
    "ipam": {"subnet": "10.1.2.0/24", "routes": [{"dst": "0.0.0.0/0"}]}
  })");
  config["ipam"]["type"] = ipam;
  return config;
}

class Delegation : public HostTest {
 protected:
  /// ADD, CHECK and DEL; the same end state whoever does which part.
  void expect_life(const Attachment& job) {
    const Snapshot before = snapshot();
    const Json result = must_add(job);
    const int netns = container_of(job).fd();
    EXPECT_EQ(result["ips"][0]["address"], "10.1.2.2/24");
    EXPECT_THAT(addresses_of("eth0", netns), ElementsAre("10.1.2.2/24"));
    EXPECT_THAT(routes_of(netns), ElementsAre("default via 10.1.2.1", "10.1.2.0/24"));
    EXPECT_THAT(addresses_of("br0"), ElementsAre("10.1.2.1/24"));
    EXPECT_EQ(read_file("/var/lib/cni/networks/net/10.1.2.2"), job.container_id + "\r\neth0");
    expect_silent_success(job.check(result));
    expect_silent_success(job.del(result));
    EXPECT_EQ(difference(without_link(before, "br0"), without_link(snapshot(), "br0")), "");
    EXPECT_THAT(link_names(netns), IsEmpty());
  }
};

TEST_F(Delegation, ReferenceIpamUnderOurBridge) {
  Attachment job = attachment(small_net());
  job.cni_path = kReferenceDir;
  expect_life(job);
}

TEST_F(Delegation, OurIpamUnderTheReferenceBridge) {
  Attachment job = attachment(small_net());
  job.folder = kReferenceDir;
  expect_life(job);
}

TEST_F(Delegation, OursAlone) { expect_life(attachment(small_net())); }

TEST_F(Delegation, AttachmentOfTheReferenceIsDeletedByOurs) {
  Attachment job = attachment(small_net());
  const Snapshot before = snapshot();
  job.folder = job.cni_path = kReferenceDir;
  const Json result = must_add(job);
  job.folder = job.cni_path = bin_dir();
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(difference(without_link(before, "br0"), without_link(snapshot(), "br0")), "");
  EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
}

TEST_F(Delegation, AttachmentOfOursIsDeletedByTheReference) {
  Attachment job = attachment(small_net());
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  job.folder = job.cni_path = kReferenceDir;
  expect_silent_success(job.del(result));
  EXPECT_THAT(reservations("net"), IsEmpty());
  EXPECT_THAT(link_names(), ElementsAre("br0"));
  job.folder = job.cni_path = bin_dir();
  expect_silent_success(job.del(result));
  EXPECT_EQ(difference(without_link(before, "br0"), without_link(snapshot(), "br0")), "");
}

class FakeIpam : public Delegation {
 protected:
  FakeIpam() {
    ipam_.answer("ADD", R"({"cniVersion": "1.0.0", "ips": [{"address": "10.1.2.77/24"}]})");
  }
  Attachment job(const std::string& name = "c1") {
    Attachment job = attachment(small_net("fake"), name);
    job.cni_path = bin_dir() + ':' + ipam_.folder();
    return job;
  }
  Recorder ipam_{"fake"};
};

TEST_F(FakeIpam, SeesTheSameEnvironmentAndRequest) {
  Attachment job = this->job();
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;K8S_POD=x";
  job.env["SOME_OTHER"] = "kept";
  job.config["big"] = Json::parse("123456789012345678");
  job.config["float"] = 1.0;
  const Json result = must_add(job);
  EXPECT_EQ(result["ips"][0]["address"], "10.1.2.77/24");
  EXPECT_EQ(result["ips"][0]["gateway"], "10.1.2.1");
  expect_silent_success(job.check(result));
  expect_silent_success(job.del());
  EXPECT_THAT(ipam_.commands(), ElementsAre("ADD", "CHECK", "DEL"));

  const Spawn spawn = job.spawn("ADD", job.config);
  const Json call = ipam_.calls()[0];
  EXPECT_EQ(call["stdin"], spawn.in);
  for (const std::string& variable : spawn.env) {
    const auto equals = variable.find('=');
    EXPECT_EQ(call["env"].value(variable.substr(0, equals), "<absent>"),
              variable.substr(equals + 1));
  }
}

TEST_F(FakeIpam, FailureIsPassedOnAfterItsDel) {
  ipam_.answer("ADD",
               R"({"cniVersion": "1.0.0", "code": 111, "msg": "out of luck", "details": "d"})", 1,
               "log of the delegate\n");
  const Attachment job = this->job();
  const Snapshot before = snapshot();
  const Output output = job.add();
  const Json error = expect_error(output, 111);
  EXPECT_THAT(error["msg"], HasSubstr("out of luck"));
  EXPECT_THAT(output.err, HasSubstr("log of the delegate"));
  EXPECT_THAT(ipam_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(FakeIpam, IsReleasedWhenALaterStepFails) {
  const Attachment job = this->job();
  tool({"ip", "link", "add", "br0", "type", "veth", "peer", "name", "x"});
  const Snapshot before = snapshot();
  expect_error(job.add());
  EXPECT_THAT(ipam_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(FakeIpam, WithoutAnAddressIsRefusedAndReleased) {
  ipam_.answer("ADD", R"({"cniVersion": "1.0.0", "ips": []})");
  const Snapshot before = snapshot();
  expect_error(job().add());
  EXPECT_THAT(ipam_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(FakeIpam, FailingDelIsReportedAndTheRestIsDone) {
  const Attachment job = this->job();
  must_add(job);
  ipam_.answer("DEL", R"({"code": 112, "msg": "cannot release"})", 1);
  EXPECT_THAT(expect_error(job.del(), 112)["msg"], HasSubstr("cannot release"));
  EXPECT_THAT(link_names(container_of(job).fd()), IsEmpty());
  EXPECT_THAT(link_names(), ElementsAre("br0"));
  ipam_.answer("DEL", "", 0);
  expect_silent_success(job.del());
  EXPECT_EQ(ipam_.commands().back(), "DEL");
}

TEST_F(FakeIpam, FailingCheckIsReported) {
  const Attachment job = this->job();
  const Json result = must_add(job);
  ipam_.answer("CHECK", R"({"code": 113, "msg": "lost it"})", 1);
  EXPECT_THAT(expect_error(job.check(result), 113)["msg"], HasSubstr("lost it"));
}

TEST_F(FakeIpam, GcAndStatusAreForwarded) {
  Attachment job = this->job();
  job.config = with_version(job.config, "1.1.0");
  expect_silent_success(job.status());
  expect_silent_success(job.gc(Json::array()));
  EXPECT_THAT(ipam_.commands(), ElementsAre("STATUS", "GC"));
  ipam_.answer("STATUS", R"({"code": 50, "msg": "not ready"})", 1);
  expect_error(job.status(), 50);
  ipam_.answer("GC", R"({"code": 114, "msg": "gc failed"})", 1);
  expect_error(job.gc(Json::array()), 114);
}

TEST_F(FakeIpam, GcAfterAKillReleasesIt) {
  Attachment job = this->job();
  job.config = with_version(job.config, "1.1.0");
  const Json result = must_add(job);
  Attachment collector = job;
  collector.container_id.clear();
  collector.if_name.clear();
  collector.netns.clear();
  expect_silent_success(collector.gc(Json::array()));
  EXPECT_THAT(ipam_.commands(), ElementsAre("ADD", "DEL", "GC"));
  EXPECT_EQ(ipam_.calls()[1]["env"]["CNI_CONTAINERID"], job.container_id);
  EXPECT_EQ(ipam_.calls()[1]["env"]["CNI_IFNAME"], "eth0");
  EXPECT_THAT(link_names(), ElementsAre("br0"));
}

TEST_F(Delegation, MissingIpamTypeNamesTheSearchedFolders) {
  Attachment job = attachment(small_net("no-such-ipam"));
  job.cni_path = "/run/here:/run/there";
  const Snapshot before = snapshot();
  const Json error = expect_error(job.add());
  EXPECT_THAT(error["msg"], HasSubstr("no-such-ipam"));
  EXPECT_THAT(error["msg"], HasSubstr("/run/here"));
  EXPECT_THAT(error["msg"], HasSubstr("/run/there"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(Delegation, LinkPluginIsNoIpam) {
  const Snapshot before = snapshot();
  expect_error(attachment(small_net("bridge")).add(), 7);
  EXPECT_EQ(difference(before, snapshot()), "");
}

}  // namespace
}  // namespace unicni::test::delegation_test
