// flannel: the delegate's configuration, the file that remembers it, and delegates of all kinds.
#include "integration/del_states.h"
#include "integration/host_test.h"
#include "support/recorder.h"
#include "support/tracer.h"

namespace unicni::test::flannel_test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

constexpr const char* kEnv = "/run/flannel/subnet.env";
constexpr const char* kFolder = "/var/lib/cni/flannel";
constexpr const char* kIpv4 =
    "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1450\n"
    "FLANNEL_IPMASQ=true\n";
constexpr const char* kBoth =
    "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_IPV6_NETWORK=fd00:1::/48\n"
    "FLANNEL_IPV6_SUBNET=fd00:1:0:17::1/64\nFLANNEL_MTU=1400\nFLANNEL_IPMASQ=true\n";

/// kube-flannel's first plugin.
Json cbr0(const std::string& version = "1.1.0") {
  return Json::parse(R"({"cniVersion": ")" + version + R"(", "name": "cbr0", "type": "flannel",
                         "delegate": {"hairpinMode": true, "isDefaultGateway": true}})");
}

class FlannelTest : public DelStates {
 protected:
  FlannelTest() { overlay(kIpv4); }
  static void overlay(const std::string& text) {
    tool({"mkdir", "-p", "/run/flannel"});
    write_file(kEnv, text);
  }
  static std::string file(const std::string& name) { return std::string(kFolder) + '/' + name; }
  static void plant(const std::string& name, const std::string& text) {
    tool({"mkdir", "-p", "-m", "700", kFolder});
    write_file(file(name), text, 0600);
  }
  static Attachment nobody(Attachment job) {
    job.container_id = job.netns = job.if_name = "";
    return job;
  }
  static Json interface(const Json& result) { return container_interface(result); }
};

using Flannel = FlannelTest;

TEST_F(Flannel, ADDMakesABridgeOfTheNodesSubnet) {
  const Attachment job = attachment(cbr0());
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  EXPECT_EQ(result["ips"][0]["address"], "10.1.17.2/24");
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("10.1.17.2/24"));
  EXPECT_THAT(
      routes_of(netns(job)),
      UnorderedElementsAre("default via 10.1.17.1", "10.1.0.0/16 via 10.1.17.1", "10.1.17.0/24"));
  EXPECT_EQ((*find_link("eth0", netns(job)))["mtu"], 1450);
  EXPECT_THAT(masqueraded(4), IsEmpty()) << "flanneld does it";
  EXPECT_EQ(tool({"stat", "-c", "%a", kFolder, file("c1")}).out, "700\n600\n");
  EXPECT_EQ(Json::parse(read_file(file("c1"))), Json::parse(R"({
      "hairpinMode": true, "isDefaultGateway": true, "name": "cbr0", "type": "bridge",
      "ipMasq": false, "mtu": 1450, "isGateway": true, "cniVersion": "1.1.0",
      "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.1.17.0/24"}]],
               "routes": [{"dst": "10.1.0.0/16"}]}})"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(left_on_host(before), "");
  EXPECT_THAT(files_in(kFolder), IsEmpty());
}

TEST_F(Flannel, BothFamiliesAndTheirRoutes) {
  overlay(kBoth);
  const Attachment job = attachment(cbr0());
  const Json result = must_add(job);
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("10.1.17.2/24", "fd00:1:0:17::2/64"));
  const auto routes = routes_of(netns(job));
  EXPECT_THAT(routes, Contains("10.1.0.0/16 via 10.1.17.1"));
  EXPECT_THAT(routes, Contains("fd00:1::/48 via fd00:1:0:17::1"));
  EXPECT_EQ((*find_link("eth0", netns(job)))["mtu"], 1400);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(Flannel, MasqueradesWhereFlanneldDoesNot) {
  overlay(
      "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1450\n"
      "FLANNEL_IPMASQ=false\n");
  const Attachment job = attachment(cbr0());
  must_add(job);
  EXPECT_THAT(masqueraded(4), ElementsAre("10.1.17.2 cbr0/c1/eth0"));
  expect_silent_success(job.del());
  EXPECT_THAT(masqueraded(4), IsEmpty());
}

TEST_F(Flannel, IpamAndRuntimeConfigReachTheDelegate) {
  Json config = cbr0();
  config["capabilities"] = {{"mac", true}};
  config["runtimeConfig"] = {{"mac", "02:00:00:00:00:17"}};
  config["ipam"] = {{"dataDir", "/run/reserved"},
                    {"routes", {{{"dst", "10.9.0.0/16"}, {"gw", "10.1.17.9"}}}}};
  config["delegate"]["mtu"] = 1300;
  const Attachment job = attachment(config);
  const Json result = must_add(job);
  EXPECT_EQ(interface(result)["mac"], "02:00:00:00:00:17");
  EXPECT_EQ((*find_link("eth0", netns(job)))["mtu"], 1300);
  EXPECT_THAT(routes_of(netns(job)), Contains("10.9.0.0/16 via 10.1.17.9"));
  EXPECT_THAT(reservations("cbr0", "/run/reserved"), ElementsAre("10.1.17.2"));
  expect_silent_success(job.check(result));
  Attachment ending = job;  // without runtimeConfig
  ending.config = cbr0();
  expect_silent_success(ending.del());
  EXPECT_THAT(reservations("cbr0", "/run/reserved"), IsEmpty());
}

TEST_F(Flannel, AnotherDelegateInProcess) {
  Json config = cbr0();
  config["delegate"] = {{"type", "ptp"}};
  const Attachment job = attachment(config);
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  EXPECT_THAT(link_names(), Not(Contains("cni0")));
  EXPECT_THAT(routes_of(netns(job)), Contains("10.1.0.0/16 via 10.1.17.1"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(Flannel, ThePluginFolderNeedNotBeInCniPath) {
  Attachment job = attachment(cbr0());
  job.cni_path = "/nowhere";
  const Json result = must_add(job);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
}

TEST_F(Flannel, WorksInAList) {
  Json config = {{"cniVersion", "1.0.0"},
                 {"name", "cbr0"},
                 {"type", "unicni"},
                 {"plugins",
                  {{{"type", "flannel"}, {"delegate", {{"isDefaultGateway", true}}}},
                   {{"type", "tuning"}, {"promisc", true}}}}};
  const Attachment job = attachment(config);
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  EXPECT_EQ((*find_link("eth0", netns(job)))["promiscuity"], 1);
  EXPECT_EQ(Json::parse(read_file(file("c1")))["cniVersion"], "1.0.0");
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(left_on_host(before), "");
}

TEST_F(Flannel, AFailureOfALaterStepLeavesNothing) {
  Json config = {
      {"cniVersion", "1.0.0"},
      {"name", "cbr0"},
      {"type", "unicni"},
      {"plugins",
       {{{"type", "flannel"}}, {{"type", "tuning"}, {"sysctl", {{"net.ipv4.no_such", "1"}}}}}}};
  expect_no_trace(attachment(config));
  EXPECT_THAT(files_in(kFolder), IsEmpty());
}

TEST_F(Flannel, AFailingDelegateLeavesNothing) {
  tool({"ip", "link", "add", "cni0", "type", "veth", "peer", "name", "x"});
  expect_no_trace(attachment(cbr0()));
  EXPECT_THAT(files_in(kFolder), IsEmpty());
}

TEST_F(Flannel, AWrongDelegateIsRefusedBeforeAnything) {
  Json config = cbr0();
  config["delegate"]["vlan"] = 5000;
  EXPECT_THAT(expect_no_trace(attachment(config), 7)["msg"], HasSubstr("vlan"));
  config = cbr0();
  config["delegate"]["type"] = "host-local";
  EXPECT_THAT(expect_no_trace(attachment(config, "c2"), 7)["msg"], HasSubstr("host-local can't"));
  config["delegate"]["type"] = "tuning";
  expect_no_trace(attachment(config, "c3"), 7);
  config["delegate"]["type"] = "no-such";
  EXPECT_THAT(expect_no_trace(attachment(config, "c4"))["msg"], HasSubstr("no-such"));
  EXPECT_FALSE(exists(kFolder));
}

TEST_F(Flannel, ADDWithoutAnOverlayIsForLater) {
  tool({"rm", kEnv});
  EXPECT_THAT(expect_no_trace(attachment(cbr0()), 11)["msg"], HasSubstr(kEnv));
  overlay("FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_MTU=x\n");
  EXPECT_THAT(expect_no_trace(attachment(cbr0(), "c2"), 11)["msg"],
              HasSubstr("line 2: FLANNEL_MTU"));
}

TEST_F(Flannel, DelInEveryState) { expect_del_in_every_state(cbr0(), true); }

TEST_F(Flannel, AKilledADDIsUndoneByDelAtEachStep) {
  // The host has seen the network before: the bridge, its addresses, the folders.
  const Attachment job = attachment(cbr0());
  must_add(job);
  expect_silent_success(job.del());
  const Snapshot before = snapshot();
  const Snapshot inside = kernel_snapshot(netns(job));
  int k = 1;
  for (;; ++k) {
    const Stop stop = kill_at(job.spawn("ADD", job.config), k);
    if (!stop.reached) break;
    SCOPED_TRACE(stop.step);
    expect_silent_success(job.del());
    EXPECT_EQ(difference(before, snapshot()), "");
    EXPECT_EQ(difference(inside, kernel_snapshot(netns(job))), "");
    EXPECT_THAT(files_in(kFolder), IsEmpty());
    if (HasFailure()) return;
  }
  EXPECT_GT(k, 15);
}

TEST_F(Flannel, DelWhateverIsLostOnTheDisk) {
  const std::pair<const char*, std::function<void()>> kStates[] = {
      {"nothing", [] {}},
      {"subnet.env",
       [] {
         tool({"rm", kEnv});
       }},
      {"the file",
       [] {
         tool({"rm", "-r", kFolder});
       }},
      {"the file is garbage", [] { plant("c1", "{"); }},
      {"the file is empty", [] { plant("c1", ""); }},
      {"the file is no plugin's", [] { plant("c1", R"({"name": "cbr0", "ipam": 5})"); }},
      {"the file can't be used",
       [] { plant("c1", R"({"name": "cbr0", "type": "bridge", "ipam": 5})"); }},
      {"file and subnet.env",
       [] {
         tool({"rm", "-r", kFolder, kEnv});
       }},
      {"file, subnet.env and journal",
       [] {
         tool({"rm", "-r", kFolder, kEnv, "/run/unicni"});
       }},
      {"journal",
       [] {
         tool({"rm", "-r", "/run/unicni"});
       }},
      {"journal and subnet.env", [] {
         tool({"rm", "-r", "/run/unicni", kEnv});
       }}};
  for (const auto& [name, lose] : kStates) {
    SCOPED_TRACE(name);
    overlay(kIpv4);
    const Attachment job = attachment(cbr0());
    const Snapshot before = snapshot();
    must_add(job);
    lose();
    expect_silent_success(job.del());
    expect_silent_success(job.del());
    EXPECT_THAT(link_names(), ElementsAre("cni0"));
    EXPECT_THAT(link_names(netns(job)), IsEmpty());
    EXPECT_THAT(reservations("cbr0"), IsEmpty());
    EXPECT_THAT(files_in(kFolder), IsEmpty());
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    containers_.clear();
    if (HasFailure()) return;
  }
}

/// What the reference's flannel had written for its attachment, which its bridge then made.
class FlannelExchange : public FlannelTest {
 protected:
  static Json rendered(const std::string& network = "cbr0") {
    return Json::parse(R"({"cniVersion": "1.0.0", "hairpinMode": true, "ipMasq": false,
        "ipam": {"ranges": [[{"subnet": "10.1.17.0/24"}]], "routes": [{"dst": "10.1.0.0/16"}],
                 "type": "host-local"},
        "isDefaultGateway": true, "isGateway": true, "mtu": 1450, "name": ")" +
                       network + R"(", "type": "bridge"})");
  }
  /// ADD as the reference's flannel does it.
  Json reference_add(const Attachment& job) {
    plant(job.container_id, rendered().dump());
    Attachment bridge = job;
    bridge.config = rendered();
    bridge.folder = bridge.cni_path = kReferenceDir;
    return must_add(bridge);
  }
};

TEST_F(FlannelExchange, WhatTheReferenceMadeIsCheckedAndDeleted) {
  const Attachment job = attachment(cbr0("1.0.0"));
  const Snapshot before = snapshot();
  const Json result = reference_add(job);
  expect_silent_success(job.check(result));
  tool({"rm", kEnv});
  expect_silent_success(job.del(result));
  EXPECT_EQ(left_on_host(before), "");
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
  EXPECT_THAT(files_in(kFolder), IsEmpty());
}

TEST_F(FlannelExchange, OurFileIsEnoughForTheReference) {
  const Attachment job = attachment(cbr0("1.0.0"));
  must_add(job);
  Attachment bridge = job;  // as the reference's flannel does DEL: the file's bytes to its type
  bridge.config = Json::parse(read_file(file("c1")));
  EXPECT_EQ(bridge.config["type"], "bridge");
  bridge.folder = bridge.cni_path = kReferenceDir;
  expect_silent_success(bridge.del());
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
  EXPECT_THAT(reservations("cbr0"), IsEmpty());
}

TEST_F(FlannelExchange, TwoInterfacesOfAContainerHaveAFileEach) {
  const Attachment first = attachment(cbr0());
  Attachment second = first;
  second.if_name = "net1";
  const Json first_result = must_add(first);
  must_add(second);
  EXPECT_THAT(files_in(kFolder), UnorderedElementsAre("c1", "c1:net1"));
  expect_silent_success(second.del());
  expect_silent_success(second.del());
  EXPECT_THAT(files_in(kFolder), ElementsAre("c1")) << "the second DEL takes no other's file";
  expect_silent_success(first.check(first_result));
  must_add(second);
  expect_silent_success(first.del());
  EXPECT_THAT(files_in(kFolder), ElementsAre("c1:net1"));
  expect_silent_success(second.del());
  EXPECT_THAT(files_in(kFolder), IsEmpty());
}

TEST_F(FlannelExchange, AFileOfAnotherNetworkIsLeftAlone) {
  const Attachment job = attachment(cbr0());
  plant("c1", rendered("other").dump());
  must_add(job);
  EXPECT_THAT(files_in(kFolder), UnorderedElementsAre("c1", "c1:eth0"));
  expect_silent_success(job.del());
  expect_silent_success(job.del());
  EXPECT_EQ(read_file(file("c1")), rendered("other").dump());
}

TEST_F(Flannel, CheckTellsWhatIsBroken) {
  const Attachment job = attachment(cbr0());
  const Json result = must_add(job);
  container_of(job).run({"ip", "addr", "flush", "dev", "eth0"});
  EXPECT_THAT(expect_error(job.check(result))["msg"], HasSubstr("10.1.17.2"));
  tool({"rm", file("c1")});
  const Json error = expect_error(job.check(result));
  EXPECT_THAT(error["msg"], HasSubstr(file("c1") + " is missing"));
  EXPECT_THAT(error["details"], HasSubstr("run DEL and then ADD"));
}

TEST_F(Flannel, GCFindsWhatIsLeakedAndNothingElse) {
  const Attachment job = attachment(cbr0());
  const Json result = must_add(job);
  tool({"mkdir", "-p", "/var/lib/cni/networks/cbr0"});
  write_file("/var/lib/cni/networks/cbr0/10.1.17.99", "leaked\r\neth0");
  const std::string mine = R"({"name": "cbr0", "type": "bridge"})";
  plant("leaked", mine);
  plant("c1:net7", mine);
  plant("elsewhere", R"({"name": "other", "type": "bridge"})");
  plant("garbage", "{");
  for (const bool overlay_is_known : {true, false}) {
    if (!overlay_is_known) {
      tool({"rm", kEnv});
      plant("leaked", mine);
    }
    expect_silent_success(nobody(job).gc(Json::array({valid_entry(job)})));
    EXPECT_THAT(files_in(kFolder), UnorderedElementsAre("c1", "elsewhere", "garbage"));
    EXPECT_THAT(reservations("cbr0"), ElementsAre("10.1.17.2"));
    expect_silent_success(job.check(result));
  }
  expect_silent_success(nobody(job).gc(Json::array()));
  EXPECT_THAT(files_in(kFolder), UnorderedElementsAre("elsewhere", "garbage"));
  EXPECT_THAT(reservations("cbr0"), IsEmpty());
  EXPECT_THAT(link_names(), ElementsAre("cni0"));
}

TEST_F(Flannel, StatusTellsWhyADDWouldFail) {
  const Attachment job = nobody(attachment(cbr0()));
  expect_silent_success(job.status());
  overlay("FLANNEL_NETWORK=10.1.0.0/16\n");
  EXPECT_THAT(expect_error(job.status(), 50)["msg"], HasSubstr("FLANNEL_SUBNET"));
  tool({"rm", kEnv});
  EXPECT_THAT(expect_error(job.status(), 50)["details"], HasSubstr("flanneld"));
  overlay(
      "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/30\nFLANNEL_MTU=1450\n"
      "FLANNEL_IPMASQ=true\n");
  must_add(attachment(cbr0(), "last"));
  EXPECT_THAT(expect_error(job.status(), 50)["msg"], HasSubstr("10.1.17")) << "the delegate's IPAM";
}

/// A delegate that isn't ours.
class ForeignDelegate : public FlannelTest {
 protected:
  ForeignDelegate() {
    plugin_.answer("ADD", R"({"cniVersion": "1.1.0", "interfaces": [],
                              "ips": [{"address": "10.1.17.77/24"}]})");
  }
  Attachment job(const std::string& name = "c1") {
    Json config = cbr0();
    config["delegate"] = {{"type", "foreign"}};
    Attachment job = attachment(config, name);
    job.cni_path = bin_dir() + ':' + plugin_.folder();
    return job;
  }
  Recorder plugin_{"foreign"};
};

TEST_F(ForeignDelegate, GetsTheConfigurationInEveryVerb) {
  const Attachment job = this->job();
  const Json result = must_add(job);
  EXPECT_EQ(result["ips"][0]["address"], "10.1.17.77/24");
  const std::string saved = read_file(file("c1"));
  expect_silent_success(nobody(job).status());
  expect_silent_success(job.check(result));
  expect_silent_success(nobody(job).gc(Json::array({valid_entry(job)})));
  tool({"rm", kEnv});
  expect_silent_success(job.del(result));
  expect_silent_success(job.del(result));
  EXPECT_THAT(plugin_.commands(), ElementsAre("ADD", "STATUS", "CHECK", "GC", "DEL"));
  const auto calls = plugin_.calls();
  EXPECT_EQ(calls[0]["stdin"], saved) << "ADD: exactly that, without prevResult";
  EXPECT_EQ(calls[0]["env"]["CNI_IFNAME"], "eth0");
  const Json checked = Json::parse(calls[2]["stdin"].get<std::string>());
  EXPECT_EQ(checked["prevResult"]["ips"][0]["address"], "10.1.17.77/24");
  EXPECT_EQ(checked["ipam"], Json::parse(saved)["ipam"]);
  const Json collected = Json::parse(calls[3]["stdin"].get<std::string>());
  EXPECT_EQ(collected["cni.dev/valid-attachments"], Json::array({valid_entry(job)}));
  EXPECT_EQ(Json::parse(calls[4]["stdin"].get<std::string>())["type"], "foreign");
  EXPECT_THAT(files_in(kFolder), IsEmpty());
}

TEST_F(ForeignDelegate, ItsErrorIsPassedOnAfterItsDel) {
  plugin_.answer("ADD", R"({"code": 111, "msg": "out of luck", "details": "d"})", 1);
  EXPECT_THAT(expect_no_trace(job(), 111)["msg"], HasSubstr("out of luck"));
  EXPECT_THAT(plugin_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_THAT(files_in(kFolder), IsEmpty());
}

// Otherwise its DEL, as the roll-back, would take the interface of the attachment that stands.
TEST_F(ForeignDelegate, IsNotAskedForAnInterfaceThatStands) {
  const Attachment job = this->job();
  const Json result = must_add(job);
  const std::string saved = read_file(file("c1"));
  container_of(job).run({"ip", "link", "add", "eth0", "type", "ifb"});
  tool({"rm", "-r", "/run/unicni"});  // as another program would have made it
  EXPECT_THAT(expect_error(job.add())["msg"], HasSubstr("interface eth0 exists already"));
  EXPECT_THAT(plugin_.commands(), ElementsAre("ADD"));
  EXPECT_EQ(read_file(file("c1")), saved);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_THAT(plugin_.commands(), ElementsAre("ADD", "CHECK", "DEL"));
}

TEST_F(ForeignDelegate, TheFileStaysUntilItsDelSucceeds) {
  const Attachment job = this->job();
  must_add(job);
  tool({"rm", "-r", "/run/unicni"});
  plugin_.answer("DEL", R"({"code": 112, "msg": "cannot"})", 1);
  const Json error = expect_error(job.del(), 112);
  EXPECT_THAT(error["details"], HasSubstr(file("c1") + " is kept"));
  EXPECT_THAT(files_in(kFolder), ElementsAre("c1"));
  plugin_.answer("DEL", "");
  expect_silent_success(job.del());
  EXPECT_THAT(files_in(kFolder), IsEmpty());
}

TEST_F(ForeignDelegate, ThatHasMovedIsFoundByItsType) {
  Attachment job = this->job();
  must_add(job);
  tool({"mkdir", "/run/moved"});
  tool({"mv", plugin_.folder() + "/foreign", "/run/moved"});
  job.cni_path = bin_dir() + ":/run/moved";
  expect_silent_success(job.del());
  EXPECT_TRUE(exists("/run/moved/foreign.log"));
  EXPECT_THAT(files_in(kFolder), IsEmpty());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(ForeignDelegate, ThatIsGoneKeepsDelOnlyWhileTheNamespaceIsThere) {
  Attachment job = this->job();
  must_add(job);
  tool({"rm", plugin_.folder() + "/foreign"});
  EXPECT_THAT(expect_error(job.del())["details"], HasSubstr("install foreign again"));
  EXPECT_THAT(files_in(kFolder), ElementsAre("c1"));
  job.netns.clear();
  EXPECT_THAT(job.del().err, HasSubstr("plugin foreign has a part in"));
  EXPECT_THAT(files_in(kFolder), IsEmpty());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(ForeignDelegate, GCRunsItsDelForWhatTheJournalKnows) {
  const Attachment job = this->job();
  must_add(job);
  expect_silent_success(nobody(job).gc(Json::array()));
  EXPECT_THAT(plugin_.commands(), ElementsAre("ADD", "DEL", "GC"));
  EXPECT_EQ(plugin_.calls()[1]["env"]["CNI_CONTAINERID"], "c1");
  EXPECT_THAT(files_in(kFolder), IsEmpty());
}

/// Wrappers that log, or choose between versions, are common.
TEST_F(Flannel, ADelegateThatCallsUsForTheSameAttachment) {
  install_script("/run/plugins/wrapper", "#!/bin/sh\nexec " + bin_dir() + "/bridge\n");
  Json config = cbr0();
  config["delegate"]["type"] = "wrapper";
  Attachment job = attachment(config);
  job.cni_path = bin_dir() + ":/run/plugins";
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  EXPECT_THAT(addresses_of("eth0", netns(job)), ElementsAre("10.1.17.2/24"));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_EQ(left_on_host(before), "");
  EXPECT_THAT(files_in(kFolder), IsEmpty());
  EXPECT_THAT(files_in(kJournals), IsEmpty());
  must_add(job);
  expect_silent_success(nobody(job).gc(Json::array()));
  EXPECT_EQ(left_on_host(before), "");
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(Flannel, AForeignIpamOfTheDelegateIsAskedOnce) {
  Recorder ipam("fake");
  ipam.answer("ADD", R"({"cniVersion": "1.1.0", "ips": [{"address": "10.1.17.77/24"}]})");
  Json config = cbr0();
  config["ipam"] = {{"type", "fake"}};
  Attachment job = attachment(config);
  job.cni_path = bin_dir() + ':' + ipam.folder();
  const Json result = must_add(job);
  EXPECT_EQ(ipam.calls()[0]["stdin"], read_file(file("c1")));
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_THAT(ipam.commands(), ElementsAre("ADD", "CHECK", "DEL"));
  EXPECT_THAT(link_names(netns(job)), IsEmpty());
}

}  // namespace
}  // namespace unicni::test::flannel_test
