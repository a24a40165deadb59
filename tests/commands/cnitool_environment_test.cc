// What cnitool gives to plugins, and how it answers wrong calls: as the reference's.
#include "cnitool.h"
#include "support/recorder.h"

namespace unicni::test::cnitool_environment_test {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class CnitoolEnvironment : public CnitoolTest {
 protected:
  CnitoolEnvironment() {
    put("10-mynet.conflist", recorded());
    recorder_.answer("ADD", R"({"cniVersion":"1.1.0"})");
  }
  [[nodiscard]] Output call(const std::string& verb, std::vector<std::string> env = {}) const {
    env.push_back("CNI_PATH=/run/nothing:" + recorder_.folder());
    return cnitool({verb, "mynet", "/run/netns/blue"}, std::move(env));
  }

  Recorder recorder_{"remember"};
};

TEST_F(CnitoolEnvironment, PluginsGetTheVariablesOfTheSpecAndTheRestOfOurs) {
  const Output output = call("add", {"CNI_ARGS=A=b;IP=10.0.0.1", "CNI_CONTAINERID=mine",
                                     "CNI_COMMAND=nonsense", "PROXY=p"});
  ASSERT_EQ(output.status, 0) << output.str();
  ASSERT_EQ(recorder_.calls().size(), 1U);
  const Json env = recorder_.calls()[0].at("env");
  EXPECT_EQ(env.at("CNI_COMMAND"), "ADD");
  EXPECT_EQ(env.at("CNI_NETNS"), "/run/netns/blue");
  EXPECT_EQ(env.at("CNI_IFNAME"), "eth0");
  EXPECT_EQ(env.at("CNI_ARGS"), "A=b;IP=10.0.0.1");
  EXPECT_EQ(env.at("CNI_PATH"), "/run/nothing:" + recorder_.folder());
  EXPECT_THAT(env.at("CNI_CONTAINERID"), StartsWith("cnitool-"));
  EXPECT_EQ(env.at("PROXY"), "p");
}

TEST_F(CnitoolEnvironment, CapabilitiesBecomeRuntimeConfig) {
  ASSERT_EQ(call("add", {R"(CAP_ARGS={"ips":["10.0.0.9"],"mac":"0a:0b:0c:0d:0e:0f"})"}).status, 0);
  const Json request = Json::parse(recorder_.calls()[0].at("stdin").get<std::string>());
  EXPECT_EQ(request.at("runtimeConfig"), Json({{"ips", {"10.0.0.9"}}}))
      << "what the plugin hasn't asked for stays away";
}

TEST_F(CnitoolEnvironment, WhatAPluginSaysOnStderrIsShown) {
  recorder_.answer("ADD", R"({"cniVersion":"1.1.0"})", 0, "by the way\n");
  const Output output = call("add");
  EXPECT_EQ(output.status, 0);
  EXPECT_EQ(output.err, "by the way\n");
}

TEST_F(CnitoolEnvironment, AFailedAddIsUndoneAndToldWithItsPlugin) {
  recorder_.answer("ADD", R"({"code":123,"msg":"no","details":"never"})", 1);
  const Output output = call("add");
  EXPECT_EQ(output.status, 1);
  EXPECT_EQ(output.out, "");
  EXPECT_EQ(output.err, "cnitool: remember: no\n  never\n");
  EXPECT_THAT(recorder_.commands(), ElementsAre("ADD", "DEL"));
  EXPECT_THAT(results(), IsEmpty());
}

TEST_F(CnitoolEnvironment, DelAndCheckGetTheCachedResult) {
  recorder_.answer("ADD", R"({"cniVersion":"1.1.0","ips":[{"address":"10.0.0.3/24"}]})");
  recorder_.answer("CHECK", "");
  for (const char* verb : {"add", "check", "del"}) ASSERT_EQ(call(verb).status, 0) << verb;
  for (const std::size_t i : {1U, 2U}) {
    const Json request = Json::parse(recorder_.calls().at(i).at("stdin").get<std::string>());
    EXPECT_EQ(request.at("prevResult").at("ips").at(0).at("address"), "10.0.0.3/24");
  }
}

TEST_F(CnitoolEnvironment, WrongVariablesAreRefusedBeforeAPluginIsCalled) {
  for (const auto& [variable, problem] : std::vector<std::pair<std::string, std::string>>{
           {"CNI_ARGS=A=b;", "invalid CNI_ARGS pair \"\""},
           {"CNI_ARGS=A=", "invalid CNI_ARGS pair \"A=\""},
           {"CAP_ARGS=[]", "CAP_ARGS is no JSON object: []"},
           {"CNI_IFNAME=a/b", "a/b"}}) {
    const Output output = call("add", {variable});
    EXPECT_EQ(output.status, 1) << variable;
    EXPECT_EQ(output.out, "") << variable;
    EXPECT_THAT(output.err, AllOf(StartsWith("cnitool: "), HasSubstr(problem)));
  }
  EXPECT_THAT(recorder_.calls(), IsEmpty());
}

TEST_F(CnitoolEnvironment, TheConfigurationIsReadFirst) {
  const Output output = cnitool({"add", "other", "x"}, {"CNI_PATH=", "CAP_ARGS=[]"});
  EXPECT_EQ(output.status, 1);
  EXPECT_EQ(output.err,
            "cnitool: no net configuration with name \"other\" in /run/net.d\n"
            "  there are: \"mynet\" (10-mynet.conflist)\n");
}

TEST_F(CnitoolEnvironment, PluginsAreNeededSomewhere) {
  for (const std::vector<std::string>& env :
       std::vector<std::vector<std::string>>{{"CNI_PATH="}, {"CNI_PATH=:"}}) {
    const Output output = cnitool({"add", "mynet", "x"}, env);
    EXPECT_EQ(output.status, 1);
    EXPECT_THAT(output.err, StartsWith("cnitool: no paths provided: CNI_PATH is not set\n"));
  }
}

TEST_F(CnitoolEnvironment, BothArgumentsAreNeededAndMoreAreIgnored) {
  for (const char* verb : {"add", "check", "del", "gc", "status"}) {
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{verb}, {verb, "mynet"}}) {
      const Output output = cnitool(arguments);
      EXPECT_EQ(output.status, 1) << verb;
      EXPECT_EQ(output.out, "") << verb;
      EXPECT_THAT(output.err, HasSubstr(std::string("try: cnitool ") + verb + " --help"));
    }
  }
  EXPECT_EQ(cnitool({"add", "mynet", "/run/netns/blue", "more", "and more"},
                    {"CNI_PATH=" + recorder_.folder()})
                .status,
            0);
}

TEST_F(CnitoolEnvironment, ExitStatusesAreThoseOfTheReference) {
  EXPECT_EQ(cnitool({}).status, 0);
  EXPECT_THAT(cnitool({}).out, StartsWith("usage: cnitool VERB"));
  EXPECT_EQ(cnitool({"help-me"}).status, 1);
  EXPECT_EQ(cnitool({"add", "--no-such", "mynet", "x"}).status, 1);
  EXPECT_EQ(cnitool({"add", "--exec", "--in-process", "mynet", "x"}).status, 1);
  EXPECT_EQ(cnitool({"validate"}).status, 2) << "a verb of our own";
}

}  // namespace
}  // namespace unicni::test::cnitool_environment_test
