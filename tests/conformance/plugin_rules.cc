// Rules for every plugin: VERN, OUT, ERR, EXEC, CONF, PREV, and what ADD, DEL, CHECK, STATUS and GC
// always promise.
#include <regex>

#include "conformance/suite.h"

namespace unicni::conformance {
namespace {

using test::expect_error;
using test::expect_silent_success;
using test::must_add;
using test::run;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string path_of(const Profile& profile) {
  return (profile.folder.empty() ? test::bin_dir() : profile.folder) + '/' + profile.type;
}

TEST_P(PluginRules, VERN_01_CommandAloneSuffices) {
  const Output output = run({.argv = {path_of(GetParam())}, .env = {"CNI_COMMAND=VERSION"}});
  EXPECT_TRUE(output.ok()) << output.str();
  const Json answer = output.json();
  EXPECT_TRUE(answer["cniVersion"].is_string());
  EXPECT_TRUE(answer["supportedVersions"].is_array());
}

TEST_P(PluginRules, VERN_02_EchoesAKnownVersion) {
  for (const std::string& version : kVersions) {
    const Output output = run({.argv = {path_of(GetParam())},
                               .env = {"CNI_COMMAND=VERSION"},
                               .in = Json{{"cniVersion", version}}.dump()});
    EXPECT_EQ(output.json()["cniVersion"], version);
  }
}

TEST_P(PluginRules, VERN_03_StdinMayBeAnything) {
  for (const char* in :
       {"", "{", "null", "[1]", R"({"cniVersion": 5})", R"({"cniVersion": "9.9.9"})"}) {
    const Output output =
        run({.argv = {path_of(GetParam())}, .env = {"CNI_COMMAND=VERSION"}, .in = in});
    EXPECT_TRUE(output.ok()) << in << output.str();
    EXPECT_THAT(output.json()["supportedVersions"], Contains(output.json()["cniVersion"]));
  }
  EXPECT_TRUE(
      run({.argv = {path_of(GetParam())}, .env = {"CNI_COMMAND=VERSION"}, .closed = {0}}).ok());
}

TEST_P(PluginRules, VERN_04_ADD_03_RES_EverySupportedVersionWorks) {
  const Json answer = run({.argv = {path_of(GetParam())}, .env = {"CNI_COMMAND=VERSION"}}).json();
  ASSERT_THAT(answer["supportedVersions"], ::testing::Not(IsEmpty()));
  const Snapshot before = host_state();
  for (const std::string version : answer["supportedVersions"]) {
    SCOPED_TRACE(version);
    const Attachment job = attachment("v" + version, version);
    const Json result = must_add(job);
    expect_layout(result, version);
    expect_silent_success(version < "0.4" ? job.del() : job.del(result));
  }
  EXPECT_EQ(test::difference(before, host_state()), "");
}

TEST_P(PluginRules, VERN_07_VERN_08_OtherVersionsAreRefused) {
  for (const char* version : {"9.9.9", "1.0", "1.2.0", "0.4"}) {
    SCOPED_TRACE(version);
    const Attachment job = attachment("v" + std::string(version), version);
    const Snapshot before = state_of(job);
    const Json error = expect_error(job.add(), 1);
    EXPECT_THAT(error.value("details", ""), HasSubstr(version));
    EXPECT_THAT(error.value("details", ""), HasSubstr("1.1.0"));
    EXPECT_EQ(test::difference(before, state_of(job)), "");
  }
}

TEST_P(PluginRules, CONF_02_CONF_03_NameIsNeededAndChecked) {
  Attachment job = attachment();
  job.config.erase("name");
  expect_error(job.add(), 7);
  for (const char* name : {"", "a/b", "_x", "..", "a\n"}) {
    job.config["name"] = name;
    expect_error(job.add(), 7);
  }
}

TEST_P(PluginRules, CONF_05_WithoutVersionIs0_1_0) {
  Attachment job = attachment();
  job.config.erase("cniVersion");
  expect_layout(must_add(job), "0.1.0");
}

TEST_P(PluginRules, EXEC_04_ERR_03_AllMissingVariablesAreNamed) {
  const Json error = expect_error(run({.argv = {path_of(GetParam())},
                                       .env = {"CNI_COMMAND=ADD"},
                                       .in = attachment().config.dump()}),
                                  4);
  for (const char* variable : {"CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"}) {
    EXPECT_THAT(error["msg"], HasSubstr(variable));
  }
}

TEST_P(PluginRules, EXEC_05_EmptyCountsAsMissing) {
  Attachment job = attachment();
  job.if_name = "";
  EXPECT_THAT(expect_error(job.add(), 4)["msg"], HasSubstr("CNI_IFNAME"));
}

TEST_P(PluginRules, EXEC_07_ContainerIdIsChecked) {
  for (const char* id : {"_c", "c\n", "a b", "../x", "-", "\xc3\xa4"}) {
    Attachment job = attachment("c" + std::to_string(containers_.size()));
    job.container_id = id;
    expect_error(job.add(), 4);
  }
  Attachment job = attachment("one");
  job.container_id = "0";
  must_add(job);
}

TEST_P(PluginRules, EXEC_08_InterfaceNameIsChecked) {
  Attachment job = attachment();
  for (const char* name : {"sixteen-bytes-xx", ".", "..", "a/b", "a:b", "a b",
                           "a\xc2\xa0"
                           "b"}) {
    job.if_name = name;
    expect_error(job.add(), 4);
  }
}

TEST_P(PluginRules, EXEC_09_CommandsAreExact) {
  for (const char* command : {"add", "NOPE", "ADD "}) {
    const Attachment job = attachment("c" + std::to_string(containers_.size()));
    EXPECT_THAT(expect_error(job.call(command, job.config), 4)["msg"], HasSubstr(command));
  }
}

TEST_P(PluginRules, EXEC_10_WithoutCommandItExplainsItself) {
  const Output output = run({.argv = {path_of(GetParam())}});
  EXPECT_TRUE(output.ok());
  EXPECT_EQ(output.out, "");
  EXPECT_THAT(output.err, HasSubstr("1.1.0"));
}

TEST_P(PluginRules, EXEC_10_ProgramsReadTheVersionOfTheReference) {
  const Output output = run({.argv = {path_of(GetParam())}});
  const std::string line = "CNI " + GetParam().type + " plugin v1.9.1\n";
  EXPECT_THAT(output.err, ::testing::StartsWith(line)) << "nerdctl takes what follows \"plugin \"";
  std::smatch version;
  ASSERT_TRUE(std::regex_search(output.err, version, std::regex("[0-9]+\\.[0-9]+\\.[0-9]+")));
  EXPECT_EQ(version.str(), "1.9.1") << "Nomad takes the first and needs 0.4.0";
  if (GetParam().type == "unicni") return;  // no plugin of the reference: it tells its own
  const Output asked = run({.argv = {path_of(GetParam()), "--version"}});
  EXPECT_TRUE(asked.ok());
  EXPECT_EQ(asked.out, output.err) << "as Nomad before 1.8 asks";
}

TEST_P(PluginRules, EXEC_13_OUT_03_StdinMustBeAnObject) {
  const Attachment job = attachment();
  auto spawn = job.spawn("ADD", job.config);
  for (const char* in : {"", "{", "[]", "1", "{} {}", "{\"a\": 1,}"}) {
    spawn.in = in;
    expect_error(run(spawn), 6);
  }
  spawn.closed = {0};
  expect_error(run(spawn), 5);
}

TEST_P(PluginRules, ERR_01_ErrorsCarryTheVersion) {
  for (const std::string& version : kVersions) {
    Attachment job = attachment("v" + version, version);
    job.config["name"] = "a/b";
    EXPECT_EQ(expect_error(job.add(), 7)["cniVersion"], version);
  }
}

TEST_P(PluginRules, OUT_01_OUT_02_OneDocumentForAddAndNothingForTheOthers) {
  const Attachment job = attachment();
  const Json result = must_add(job);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_silent_success(nobody().status());
  expect_silent_success(nobody().gc(Json::array()));
}

TEST_P(PluginRules, REQ_04_CapabilitiesAndUnknownKeysAreTolerated) {
  Attachment job = attachment();
  job.config["capabilities"] = {{"portMappings", true}};
  job.config["cni.dev/something"] = 1;
  job.config["x-unknown"] = Json::object();
  must_add(job);
}

TEST_P(PluginRules, ARGS_06_ForeignArgumentsOfKubernetesAreTolerated) {
  Attachment job = attachment();
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=x";
  must_add(job);
}

TEST_P(PluginRules, PREV_01_PREV_02_PrevResultOfOtherShapes) {
  int number = 0;
  for (const char* prev :
       {"null", R"({"cniVersion": "0.4.0", "ips": [{"version": "4", "address": "192.0.2.7/24"}]})",
        R"({"ips": [{"address": "192.0.2.7/24"}]})", "{}"}) {
    SCOPED_TRACE(prev);
    Attachment job = attachment("p" + std::to_string(number++), "1.0.0");
    job.config["prevResult"] = Json::parse(prev);
    must_add(job);
    expect_silent_success(job.del());
  }
  for (const char* prev : {"5", R"("x")", "[]", R"({"ips": [{"address": "nonsense"}]})",
                           R"({"ips": [null]})", R"({"cniVersion": "9.9.9"})"}) {
    SCOPED_TRACE(prev);
    Attachment job = attachment("p" + std::to_string(number++), "1.0.0");
    job.config["prevResult"] = Json::parse(prev);
    expect_error(job.add());
  }
}

TEST_P(PluginRules, DEL_01_RemovesWhatAddDid) {
  const Attachment job = attachment();
  const Snapshot host = host_state();
  // the kernel leaves lo its addresses when it goes down
  const auto inside = [&] {
    return test::without_link(test::kernel_snapshot(container_of(job).fd()), "lo");
  };
  const Snapshot before = inside();
  const Json result = must_add(job);
  expect_silent_success(job.del(result));
  EXPECT_EQ(test::difference(host, host_state()), "");
  EXPECT_EQ(test::difference(before, inside()), "");
}

TEST_P(PluginRules, DEL_02_IsIdempotent) {
  Attachment job = attachment();
  expect_silent_success(job.del());
  must_add(job);
  expect_silent_success(job.del());
  expect_silent_success(job.del());
  job.netns = "/run/netns/never-there";
  expect_silent_success(job.del());
  job.netns = "";
  expect_silent_success(job.del());
}

TEST_P(PluginRules, DEL_03_DEL_05_WorksWithoutTheNamespace) {
  const Snapshot host = host_state();
  Attachment job = attachment("c1");
  must_add(job);
  container_of(job).remove();
  expect_silent_success(job.del());
  EXPECT_EQ(test::difference(host, host_state()), "");

  job = attachment("c2");
  must_add(job);
  container_of(job).remove();
  job.netns = "";
  expect_silent_success(job.del());
  EXPECT_EQ(test::difference(host, host_state()), "");
  EXPECT_THAT(taken(), IsEmpty());
}

TEST_P(PluginRules, DEL_04_WorksWithoutAndWithAStrangePrevResult) {
  const Snapshot host = host_state();
  for (const char* prev : {"null", "{}", R"({"cniVersion": "0.4.0"})"}) {
    const Attachment job = attachment("c" + std::to_string(containers_.size()));
    must_add(job);
    expect_silent_success(job.del(Json::parse(prev)));
    EXPECT_EQ(test::difference(host, host_state()), "");
  }
}

TEST_P(PluginRules, CHK_01_BeforeItsVersionIsRefused) {
  for (const char* version : {"0.1.0", "0.2.0", "0.3.0", "0.3.1"}) {
    const Attachment job = attachment("v" + std::string(version), version);
    expect_error(job.check(must_add(job)), 1);
    expect_silent_success(job.del());
  }
}

TEST_P(PluginRules, CHK_02_CHK_10_SucceedsAfterAddAndChangesNothing) {
  for (const char* version : {"0.4.0", "1.0.0", "1.1.0"}) {
    SCOPED_TRACE(version);
    const Attachment job = attachment("v" + std::string(version), version);
    const Json result = must_add(job);
    const Snapshot before = state_of(job);
    expect_silent_success(job.check(result));
    EXPECT_EQ(test::difference(before, state_of(job)), "");
    expect_silent_success(job.del(result));
  }
}

TEST_P(PluginRules, STAT_01_STAT_04_ReadyIsSilentWithoutAContainer) {
  const Attachment job = nobody();
  const Snapshot before = test::snapshot();
  expect_silent_success(job.status());
  EXPECT_EQ(test::difference(before, test::snapshot()), "");
}

TEST_P(PluginRules, STAT_03_BeforeItsVersionIsRefused) {
  for (const std::string& version : kVersions) {
    if (version < "1.1") expect_error(nobody(version).status(), 1);
  }
}

TEST_P(PluginRules, GC_05_BeforeItsVersionIsRefused) {
  for (const std::string& version : kVersions) {
    if (version < "1.1") expect_error(nobody(version).gc(Json::array()), 1);
  }
}

TEST_P(PluginRules, GC_06_GarbageInUnneededVariablesIsIgnored) {
  Attachment job = nobody();
  job.container_id = "_ /";
  job.if_name = "a/b/c and much too long";
  job.netns = "/nowhere";
  expect_silent_success(job.gc(Json::array()));
  expect_silent_success(job.status());
}

TEST_P(PluginRules, GC_01_WhatIsValidStays) {
  const Attachment job = attachment();
  const Json result = must_add(job);
  const Snapshot before = state_of(job);
  expect_silent_success(nobody().gc(Json::array({test::valid_entry(job)})));
  EXPECT_EQ(test::difference(before, state_of(job)), "");
  expect_silent_success(job.check(result));
}

TEST_P(PluginRules, GC_10_WithoutAListNothingIsRemoved) {
  const Attachment job = attachment();
  must_add(job);
  const Snapshot before = state_of(job);
  const Output output = nobody().call("GC", nobody().config);
  if (!output.ok()) expect_error(output, 7);
  EXPECT_EQ(test::difference(before, state_of(job)), "");
}

TEST_P(PluginRules, GC_11_DelIsStillNeededAndStillWorks) {
  const Attachment job = attachment();
  must_add(job);
  expect_silent_success(nobody().gc(Json::array()));
  expect_silent_success(job.del());
}

}  // namespace
}  // namespace unicni::conformance
