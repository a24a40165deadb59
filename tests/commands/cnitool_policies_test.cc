// Policies of the host over what cnitool attaches: whichever way its plugins are run, the answers
// are the same, and programs of other makers are ruled as well.
#include <functional>

#include "cnitool.h"
#include "support/kernel_state.h"
#include "support/recorder.h"

namespace unicni::test::cnitool_policies_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr const char* kPolicies = "/etc/unicni/policy.d";

class CnitoolPolicies : public CnitoolTest, public ::testing::WithParamInterface<std::string> {
 protected:
  CnitoolPolicies() {
    Sandbox::keep_etc();
    Json mixed = list();
    mixed["plugins"][0]["mtu"] = 1400;
    mixed["plugins"][1] = {{"type", "recorder"}, {"mtu", 1500}};
    put("10-mynet.conflist", mixed);
  }
  static void policy(const std::string& text) {
    write_file(std::string(kPolicies) + "/a.yaml", text);
  }
  static void remove_policies() { tool({"rm", "-rf", "/etc/unicni"}); }
  [[nodiscard]] Output verb(const std::string& verb, const std::string& args = {}) const {
    std::vector<std::string> env{"CNI_PATH=" + foreign_.folder() + ':' + bin_dir()};
    if (!args.empty()) env.push_back("CNI_ARGS=" + args);
    return cnitool({verb, GetParam(), "mynet", blue_.path()}, env);
  }
  void succeed(const std::string& name) const {
    const Output output = verb(name);
    EXPECT_EQ(output.status, 0) << name << output.str();
    if (name != "add") {
      EXPECT_EQ(output.out + output.err, "") << name;
    }
  }
  [[nodiscard]] Json sent(std::size_t call) const {
    return Json::parse(foreign_.calls().at(call)["stdin"].get<std::string>());
  }
  /// The ADD fails for this, and nothing was begun.
  void expect_refused(const std::string& why, const std::string& args = {}) const {
    const Output output = verb("add", args);
    EXPECT_EQ(output.status, 1) << output.str();
    EXPECT_THAT(output.out + output.err, HasSubstr(why));
    EXPECT_THAT(foreign_.commands(), IsEmpty());
    EXPECT_THAT(link_names(blue_.fd()), IsEmpty());
    EXPECT_THAT(results(), IsEmpty());
  }
  void expect_nothing_left() const {
    EXPECT_THAT(files_in("/run/unicni/attachments"), IsEmpty());
    EXPECT_THAT(link_names(blue_.fd()), IsEmpty());
    EXPECT_THAT(reservations("mynet"), IsEmpty());
    EXPECT_THAT(results(), IsEmpty());
  }

  Recorder foreign_{"recorder"};
  Container blue_{"blue"};
};

TEST_P(CnitoolPolicies, RefuseProgramsOfOtherMakers) {
  policy("modules: {exec: never}");
  expect_refused("type recorder is a program of another maker");
}

TEST_P(CnitoolPolicies, RefuseAListThatHasNoneOfOurs) {
  put("10-mynet.conflist", {{"cniVersion", "1.1.0"},
                            {"name", "mynet"},
                            {"plugins", {{{"type", "recorder"}, {"mtu", 1500}}}}});
  policy("modules: {exec: never}");
  expect_refused("type recorder is a program of another maker");
  policy("rules: [{deny: nobody}]");
  expect_refused("nobody");
}

/// Nor does the roll-back of the refused ADD run its DEL.
TEST_P(CnitoolPolicies, RefuseOneInAListOfOurs) {
  Json inner = list()["plugins"][0];
  put("10-mynet.conflist",
      {{"cniVersion", "1.1.0"},
       {"name", "mynet"},
       {"plugins", {{{"type", "unicni"}, {"plugins", {inner, {{"type", "recorder"}}}}}}}});
  policy("modules: {exec: never}");
  expect_refused("type recorder is a program of another maker");
  policy("modules: {deny: [recorder]}");
  expect_refused("type recorder is denied");
}

TEST_P(CnitoolPolicies, RequireOfAForeignMember) {
  policy("rules: [{match: {type: recorder}, require: {mtu: {max: 1400}}}]");
  expect_refused("mtu 1500 of recorder is not allowed");
}

TEST_P(CnitoolPolicies, DenyByWhatTheRuntimeSays) {
  policy("rules: [{match: {namespace: forbidden}, deny: not offered here}]");
  expect_refused("not offered here", "IgnoreUnknown=1;K8S_POD_NAMESPACE=forbidden");
  succeed("add");
}

TEST_P(CnitoolPolicies, ThatCannotBeReadFailAddAndStatus) {
  policy("rules: [");
  expect_refused("a.yaml");
  EXPECT_EQ(verb("status").status, 1);
}

TEST_P(CnitoolPolicies, ChangeOursAndTheForeignMemberAndAddOthers) {
  policy(
      "rules:\n"
      "  - {match: {type: bridge}, override: {mtu: 1300}}\n"
      "  - {match: {type: recorder}, override: {own: 7}}\n"
      "  - append: [{type: tuning, sysctl: {net.ipv4.conf.all.log_martians: '1'}}]\n");
  succeed("add");
  EXPECT_EQ(blue_.json({"ip", "-j", "link", "show", "eth0"})[0]["mtu"], 1300);
  EXPECT_EQ(sent(0)["own"], 7);
  const Json cached = Json::parse(read_file("/var/lib/cni/results/" + results().at(0)));
  EXPECT_EQ(cached["networkName"], "mynet");
  succeed("check");
  blue_.run({"sysctl", "-q", "-w", "net.ipv4.conf.all.log_martians=0"});
  EXPECT_EQ(verb("check").status, 1) << "the added member is checked";
  succeed("del");
  expect_nothing_left();
}

/// What an ADD was given holds until its DEL.
TEST_P(CnitoolPolicies, ChangedOrRemovedAfterAnAddLeaveItAlone) {
  const std::string rule = "rules: [{match: {type: recorder}, override: {own: 7}}]";
  const std::vector<std::function<void()>> fates = {
      [] { policy("rules: [{match: {type: recorder}, override: {own: 8}}]"); },
      [] { policy("modules: {exec: never}"); }, [] { policy("rules: ["); }, remove_policies};
  for (std::size_t i = 0; i < fates.size(); ++i) {
    SCOPED_TRACE(i);
    const std::size_t before = foreign_.calls().size();
    policy(rule);
    succeed("add");
    fates[i]();
    succeed("check");
    succeed("del");
    expect_nothing_left();
    const auto commands = foreign_.commands();
    EXPECT_THAT(std::vector(commands.begin() + static_cast<long>(before), commands.end()),
                ElementsAre("ADD", "CHECK", "DEL"));
    for (std::size_t call = before; call < before + 3; ++call) EXPECT_EQ(sent(call)["own"], 7);
  }
}

TEST_P(CnitoolPolicies, MadeAfterAnAddLeaveItAlone) {
  succeed("add");
  policy("modules: {exec: never}\nrules: [{override: {mtu: 1300}}]");
  succeed("check");
  succeed("del");
  expect_nothing_left();
  EXPECT_THAT(foreign_.commands(), ElementsAre("ADD", "CHECK", "DEL"));
}

TEST_P(CnitoolPolicies, RemovedBeforeAGcLeaveNothingOfIt) {
  policy("rules: [{append: [{type: tuning, sysctl: {net.ipv4.conf.all.log_martians: '1'}}]}]");
  succeed("add");
  remove_policies();
  const Output gc = cnitool({"gc", GetParam(), "--yes", "mynet", "x"},
                            {"CNI_PATH=" + foreign_.folder() + ':' + bin_dir()});
  EXPECT_EQ(gc.status, 0) << gc.str();
  expect_nothing_left();
}

TEST_P(CnitoolPolicies, RollBackWhatAForeignMemberRefuses) {
  policy("rules: [{override: {mtu: 1300}}]");
  foreign_.answer("ADD", R"({"cniVersion":"1.1.0","code":111,"msg":"not today"})", 1);
  const Output output = verb("add");
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.out + output.err, HasSubstr("not today"));
  expect_nothing_left();
}

/// The foreign member's parent: our executable, or in the process the spawner.
TEST_P(CnitoolPolicies, RollBackWhatWasKilledUnderAForeignMember) {
  policy("rules: [{override: {mtu: 1300}}]");
  install_script("/run/plugins/recorder", R"(#!/bin/sh
cat > /dev/null
[ $CNI_COMMAND = ADD ] && kill -9 $PPID
exit 0
)");
  EXPECT_EQ(verb("add").status, 1);
  expect_nothing_left();
}

/// Another ADD of what is attached is refused, and takes nothing away.
TEST_P(CnitoolPolicies, KeepWhatIsAttachedFromASecondAdd) {
  policy("rules: [{override: {mtu: 1300}}]");
  succeed("add");
  tool({"rm", "-rf", "/var/lib/cni/results"});
  EXPECT_EQ(verb("add").status, 1);
  EXPECT_THAT(link_names(blue_.fd()), ElementsAre("eth0"));
  succeed("del");
}

TEST_P(CnitoolPolicies, KeepAStandingInterfaceFromAnAddThatWasKilledUnderIt) {
  policy("rules: [{override: {mtu: 1300}}]");
  put("10-mynet.conflist",
      {{"cniVersion", "1.1.0"}, {"name", "mynet"}, {"plugins", {{{"type", "recorder"}}}}});
  install_script("/run/plugins/recorder", R"(#!/bin/sh
cat > /dev/null
[ $CNI_COMMAND = ADD ] && kill -9 $PPID
[ $CNI_COMMAND = DEL ] && nsenter --net=$CNI_NETNS ip link del $CNI_IFNAME
exit 0
)");
  blue_.run({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "peer"});
  EXPECT_EQ(verb("add").status, 1);
  EXPECT_THAT(link_names(blue_.fd()), UnorderedElementsAre("eth0", "peer"));
  succeed("del");
  expect_nothing_left();
}

/// Lists inside a list: inline, or a chain of the administrator.
class BesideAList : public CnitoolPolicies {
 protected:
  static Json bridge() { return list()["plugins"][0]; }
  static Json inline_list() { return {{"type", "unicni"}, {"plugins", {bridge()}}}; }
  static Json chain() {
    tool({"mkdir", "-p", "/etc/unicni/chains"});
    write_file("/etc/unicni/chains/mynet.yaml", Json({{"plugins", {bridge()}}}).dump());
    return {{"type", "unicni"}, {"chain", "mynet"}};
  }
  static void put_members(const Json& members) {
    put("10-mynet.conflist", {{"cniVersion", "1.1.0"}, {"name", "mynet"}, {"plugins", members}});
  }
};

TEST_P(BesideAList, NoForeignMemberSlipsPastThem) {
  const Json foreign = {{"type", "recorder"}, {"mtu", 1500}};
  const Json rows = {{inline_list(), foreign},
                     {foreign, inline_list()},
                     {chain(), foreign},
                     {chain(), {{"type", "tuning"}}, foreign}};
  for (const char* const text : {"rules: [{match: {type: recorder}, require: {mtu: {max: 1400}}}]",
                                 "rules: [{match: {type: recorder}, deny: here}]",
                                 "modules: {exec: never}", "modules: {deny: [recorder]}"}) {
    for (const Json& members : rows) {
      SCOPED_TRACE(text + members.dump());
      policy(text);
      put_members(members);
      expect_refused("/recorder of another maker stands beside a list of type unicni");
    }
  }
}

TEST_P(BesideAList, OursAreBoundAsWhenTheyAreCalledAlone) {
  policy("rules: [{match: {type: tuning}, require: {mtu: {max: 1400}}}]");
  put_members({inline_list(), {{"type", "tuning"}, {"mtu", 1450}}});
  expect_refused("mtu 1450 of tuning is not allowed");
  expect_nothing_left();
  put_members({inline_list(), {{"type", "tuning"}, {"mtu", 1350}}});
  succeed("add");
  succeed("check");
  succeed("del");
  expect_nothing_left();
}

TEST_P(BesideAList, WhatIsAttachedOutlivesThem) {
  put_members({inline_list(), {{"type", "recorder"}}});
  succeed("add");
  policy("modules: {exec: never}");
  succeed("check");
  const Output gc = cnitool({"gc", GetParam(), "--yes", "mynet", "x"},
                            {"CNI_PATH=" + foreign_.folder() + ':' + bin_dir()});
  EXPECT_EQ(gc.status, 0) << gc.str();
  succeed("del");
  expect_nothing_left();
}

TEST_P(BesideAList, CannotBeUnreadable) {
  policy("rules: [");
  put_members({inline_list(), {{"type", "recorder"}}});
  expect_refused("beside a list of type unicni");
  put_members({inline_list(), {{"type", "tuning"}}});
  expect_refused("a.yaml");
}

const auto kWays = ::testing::Values("--exec", "--in-process");

std::string name_of(const ::testing::TestParamInfo<std::string>& way) {
  return way.param == "--exec" ? "ByProcesses" : "InTheProcess";
}

INSTANTIATE_TEST_SUITE_P(Run, BesideAList, kWays, name_of);
INSTANTIATE_TEST_SUITE_P(Run, CnitoolPolicies, kWays, name_of);

}  // namespace
}  // namespace unicni::test::cnitool_policies_test
