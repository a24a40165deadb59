// A list in one process: type "unicni" with the plugins inline.
#include <algorithm>
#include <regex>

#include "integration/host_test.h"
#include "support/recorder.h"

namespace unicni::test::chain_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Chain : public HostTest {
 protected:
  static Json list(const std::string& version = "1.0.0") {
    Json bridge = mynet();
    bridge.erase("cniVersion");
    bridge.erase("name");
    bridge["capabilities"] = {{"mac", true}, {"ips", false}};
    Json foreign = {
        {"type", "recorder"}, {"capabilities", {{"portMappings", true}}}, {"own", "value"}};
    return {{"cniVersion", version},
            {"name", "mynet"},
            {"type", "unicni"},
            {"plugins", {bridge, foreign}}};
  }
  Attachment job_of(const Json& config, const std::string& name = "c1") {
    Attachment job = attachment(config, name);
    job.cni_path = bin_dir() + ':' + recorder_.folder();
    return job;
  }
  /// What is random in a result of bridge, made equal.
  static std::string masked(const std::string& text) {
    const std::string named = std::regex_replace(text, std::regex("veth[0-9a-f]{8}"), "veth");
    return std::regex_replace(named, std::regex("([0-9a-f]{2}:){5}[0-9a-f]{2}"), "MAC");
  }
  Recorder recorder_{"recorder"};
};

TEST_F(Chain, RunsInOrderAndBackwards) {
  Json config = list();
  config["runtimeConfig"] = {{"portMappings", {{{"hostPort", 80}}}},
                             {"mac", "02:00:00:00:00:07"},
                             {"ips", {"10.22.9.9"}},
                             {"bandwidth", {{"ingressRate", 1}}}};
  const Attachment job = job_of(config);
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  EXPECT_EQ(container_interface(result)["mac"], "02:00:00:00:00:07");
  EXPECT_EQ(result["ips"][0]["address"], "10.22.0.2/16") << "ips: false must not reach the IPAM";

  ASSERT_THAT(recorder_.commands(), ElementsAre("ADD"));
  const Json call = recorder_.calls()[0];
  const Json request = Json::parse(call["stdin"].get<std::string>());
  EXPECT_EQ(request["prevResult"], result);
  EXPECT_EQ(request["name"], "mynet");
  EXPECT_EQ(request["cniVersion"], "1.0.0");
  EXPECT_EQ(request["type"], "recorder");
  EXPECT_EQ(request["own"], "value");
  EXPECT_EQ(request["runtimeConfig"], Json::parse(R"({"portMappings": [{"hostPort": 80}]})"));
  EXPECT_FALSE(request.contains("capabilities"));
  EXPECT_EQ(call["env"]["CNI_CONTAINERID"], "c1");
  EXPECT_EQ(call["env"]["CNI_IFNAME"], "eth0");
  EXPECT_EQ(call["env"]["CNI_NETNS"], job.netns);
  EXPECT_EQ(call["env"]["CNI_PATH"], job.cni_path);

  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_THAT(recorder_.commands(), ElementsAre("ADD", "CHECK", "DEL"));
  for (const Json& later : {recorder_.calls()[1], recorder_.calls()[2]}) {
    const Json sent = Json::parse(later["stdin"].get<std::string>());
    EXPECT_EQ(sent["prevResult"], result) << later["env"]["CNI_COMMAND"];
  }
  EXPECT_EQ(left_on_host(before), "");
}

TEST_F(Chain, ResultIsThatOfAProcessEach) {
  for (const std::string& version : kVersions) {
    SCOPED_TRACE(version);
    const Json config = list(version);
    const Attachment whole = job_of(config, "w" + version);
    const Output in_one = whole.add();
    ASSERT_TRUE(in_one.ok()) << in_one.str();
    expect_silent_success(whole.del());

    Json bridge = config["plugins"][0];
    bridge["cniVersion"] = version;
    bridge["name"] = "mynet";
    tool({"rm", "-r", "/var/lib/cni/networks/mynet"});
    Attachment single = job_of(bridge, "s" + version);
    const Output of_bridge = single.add();
    ASSERT_TRUE(of_bridge.ok()) << of_bridge.str();
    const auto same_netns = [&](std::string text) {
      return std::regex_replace(masked(text), std::regex("/run/netns/[ws][0-9.]+"), "NETNS");
    };
    EXPECT_EQ(same_netns(in_one.out), same_netns(of_bridge.out));
    expect_silent_success(single.del());
    tool({"rm", "-r", "/var/lib/cni/networks/mynet"});
  }
}

TEST_F(Chain, FailureOfTheSecondUndoesTheFirst) {
  recorder_.answer("ADD", R"({"code": 142, "msg": "no such luck", "details": "really"})", 1);
  const Attachment job = job_of(list());
  const Snapshot before = snapshot();
  const Snapshot inside = kernel_snapshot(container_of(job).fd());
  const Json error = expect_error(job.add(), 142);
  EXPECT_THAT(error["msg"], HasSubstr("no such luck"));
  EXPECT_EQ(error["details"], "really");
  EXPECT_THAT(recorder_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_EQ(difference(inside, kernel_snapshot(container_of(job).fd())), "");
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(Chain, FailureOfTheFirstStopsIt) {
  Json config = list();
  config["plugins"][0]["bridge"] = "br/0";
  expect_error(job_of(config).add(), 7);
  config = list();
  config["plugins"][0]["ipam"]["routes"] =
      Json::parse(R"([{"dst": "10.99.0.0/16", "gw": "192.168.77.1"}])");
  const Snapshot before = snapshot();
  expect_error(job_of(config, "c2").add());
  EXPECT_EQ(difference(before, snapshot()), "");
  EXPECT_THAT(recorder_.commands(), IsEmpty());
}

TEST_F(Chain, DelGoesOnPastAFailingMember) {
  const Attachment job = job_of(list());
  const Snapshot before = snapshot();
  must_add(job);
  recorder_.answer("DEL", R"({"code": 143, "msg": "will not"})", 1);
  EXPECT_THAT(expect_error(job.del(), 143)["msg"], HasSubstr("will not"));
  EXPECT_THAT(link_names(), ElementsAre("cni0"));
  EXPECT_THAT(files_in(kJournals), ElementsAre("mynet:c1:eth0")) << "it will be asked again";
  recorder_.answer("DEL", "");
  expect_silent_success(job.del());
  EXPECT_EQ(left_on_host(before), "");
}

// The same list called plugin by plugin made the attachment, so no journal tells of it.
TEST_F(Chain, AForeignPluginThatRefusesWhatStandsIsNotRolledBack) {
  Json config = list();
  config["plugins"].erase(0);
  const Attachment job = job_of(config);
  container_of(job).run({"ip", "link", "add", "eth0", "type", "ifb"});
  recorder_.answer("ADD", R"({"code": 100, "msg": "exists"})", 1);
  expect_error(job.add(), 100);
  EXPECT_THAT(recorder_.commands(), ElementsAre("ADD"));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
  expect_silent_success(job.del());
  EXPECT_THAT(recorder_.commands(), ElementsAre("ADD", "DEL")) << "the runtime asked for it";
}

TEST_F(Chain, AForeignPluginThatFailsElsewiseIsRolledBack) {
  Json config = list();
  config["plugins"].erase(0);
  recorder_.answer("ADD", R"({"code": 100, "msg": "half done"})", 1);
  expect_error(job_of(config).add(), 100);
  EXPECT_THAT(recorder_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

TEST_F(Chain, GarbageOfAForeignPluginIsQuoted) {
  recorder_.answer("ADD", "not json at all", 0);
  const Snapshot before = snapshot();
  const Json error = expect_error(job_of(list()).add());
  EXPECT_THAT(error.dump(), HasSubstr("not json at all"));
  EXPECT_EQ(difference(before, snapshot()), "");
}

TEST_F(Chain, StderrOfAForeignPluginStreamsThrough) {
  recorder_.answer("ADD", R"({"code": 1, "msg": "x"})", 1, "a line of log\n");
  EXPECT_THAT(job_of(list()).add().err, HasSubstr("a line of log"));
}

TEST_F(Chain, MalformedListsAreRefused) {
  const Snapshot before = snapshot();
  int number = 0;
  for (const char* plugins :
       {"[]", "null", "{}", "[null]", R"(["bridge"])", "[{}]", R"([{"type": ""}])",
        R"([{"type": "../bridge"}])", R"([{"type": "unicni", "plugins": []}])"}) {
    SCOPED_TRACE(plugins);
    Json config = list();
    config["plugins"] = Json::parse(plugins);
    expect_error(job_of(config, "m" + std::to_string(number++)).add());
  }
  EXPECT_EQ(difference(before, snapshot()), "");
}

/// As somebody has edited a list since its ADD.
TEST_F(Chain, DelOfAListInAListGoesByTheRest) {
  const Attachment job = job_of(list(), "c1");
  must_add(job);
  EXPECT_EQ(job.del().status, 0);
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  for (const bool is_alone : {false, true}) {
    Attachment edited = job;
    Json& plugins = edited.config["plugins"];
    if (is_alone) plugins = Json::array();
    plugins.push_back({{"type", "unicni"}, {"plugins", {{{"type", "tuning"}}}}});
    EXPECT_EQ(expect_error(edited.add(), 7)["code"], 7);
    const Output del = edited.del(result);
    EXPECT_EQ(del.status, 0) << del.out;
    EXPECT_THAT(del.err, HasSubstr("has type unicni: it is passed over"));
    EXPECT_EQ(difference(before, snapshot()), "");
    if (!is_alone) must_add(job);
  }
}

TEST_F(Chain, ScriptThatCallsUsForItselfEndsWithOneError) {
  install_script("/run/plugins/looper", "#!/bin/sh\nexec " + bin_dir() + "/unicni\n");
  Json config = list();
  config["plugins"] = Json::parse(R"([{"type": "looper"}])");
  const Json error = expect_error(job_of(config).add());
  EXPECT_THAT(error["msg"], HasSubstr("looper"));
}

TEST_F(Chain, ScriptThatCallsTheSameChainForEverEndsWithOneError) {
  Json config = list();
  config["plugins"] = Json::parse(R"([{"type": "looper"}])");
  write_file("/run/chain.json", config.dump());
  install_script("/run/plugins/looper", "#!/bin/sh\necho x >> /run/loops\nexec " + bin_dir() +
                                            "/unicni < /run/chain.json\n");
  const Json error = expect_error(job_of(config).add());
  EXPECT_THAT(error["msg"], HasSubstr("deep"));
  EXPECT_LE(read_file("/run/loops").size(), 2U * 1024);
}

TEST_F(Chain, ForeignFileUnderAModulesNameIsUsed) {
  Recorder bridge("bridge", "/run/first");
  bridge.answer("ADD", R"({"cniVersion": "1.0.0", "ips": [{"address": "10.9.8.7/24"}]})");
  Attachment job = job_of(list());
  job.cni_path = "/run/first:" + recorder_.folder();
  const Json result = must_add(job);
  EXPECT_EQ(result["ips"][0]["address"], "10.9.8.7/24");
  EXPECT_THAT(bridge.commands(), ElementsAre("ADD"));
  EXPECT_THAT(link_names(), IsEmpty());
}

}  // namespace
}  // namespace unicni::test::chain_test
