// unictl render, diff, explain and compile: chains and policies as people look at them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "command.h"
#include "support/kernel_state.h"
#include "support/sandbox.h"

namespace unicni::test::unictl_chains_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class UnictlChains : public ::testing::Test {
 protected:
  UnictlChains() {
    Sandbox::keep_etc();
    tool({"mkdir", "-p", "/etc/unicni/chains", "/etc/unicni/policy.d"});
    chain("web",
          "cniVersion: 1.0.0\nplugins:\n"
          "  - {type: bridge, mtu: 1_400, isGateway: yes, capabilities: {mac: yes}}\n"
          "  - {type: portmap, capabilities: {portMappings: true}}\n");
  }
  static void chain(const std::string& name, const std::string& text) {
    write_file("/etc/unicni/chains/" + name + ".yaml", text);
  }
  /// Paths of this host's compiled entries in which, or in whose names, a text is.
  static std::string entries_with(const std::string& text) {
    std::string paths;
    for (const std::string& name : files_in("/run/unicni/compiled")) {
      const std::string path = "/run/unicni/compiled/" + name;
      if ((name + read_file(path)).find(text) != std::string::npos) paths += path + '\n';
    }
    return paths;
  }
  static void policy(const std::string& text) { write_file("/etc/unicni/policy.d/a.yaml", text); }

  Sandbox sandbox_;
};

TEST_F(UnictlChains, RenderPrintsTheListThatAnyRuntimeReads) {
  EXPECT_EQ(command("unictl", {"render", "web"}).out,
            R"({"name":"web","cniVersion":"1.0.0","plugins":[{"type":"bridge","mtu":1400,)"
            R"("isGateway":true,"capabilities":{"mac":true}},)"
            R"({"type":"portmap","capabilities":{"portMappings":true}}]})"
            "\n");
}

TEST_F(UnictlChains, RenderPrintsTheWrapperWithAllCapabilities) {
  const Output output = command("unictl", {"render", "--wrapper", "web"});
  EXPECT_EQ(output.json(),
            Json::parse(R"({"cniVersion":"1.0.0","name":"web","plugins":[{"type":"unicni",)"
                        R"("chain":"web","capabilities":{"mac":true,"portMappings":true}}]})"));
  const Output absent = command("unictl", {"render", "wbe"});
  EXPECT_EQ(absent.status, 1);
  EXPECT_THAT(absent.err, HasSubstr("did you mean \"web\"?"));
}

TEST_F(UnictlChains, DiffTellsWhatDiffersAndNotHowItIsWritten) {
  write_file("/run/same.conflist",
             "// the same\n" + command("unictl", {"render", "web"}).out + "/* end */");
  EXPECT_EQ(command("unictl", {"diff", "web", "/run/same.conflist"}).out, "");
  chain("other",
        "cniVersion: 1.0.0\nplugins: [{type: bridge, mtu: 1300, isGateway: yes, ipMasq: yes, "
        "capabilities: {mac: yes}}]\n");
  const Output output = command("unictl", {"diff", "web", "other", "--json"});
  EXPECT_EQ(output.status, 1);
  std::vector<std::string> keys;
  const Json report = output.json();
  for (const Json& each : report.at("differences")) {
    keys.push_back(each["place"].get<std::string>() + ' ' + each["key"].get<std::string>() + ' ' +
                   each["one"].dump() + ' ' + each["other"].dump());
  }
  EXPECT_THAT(
      keys,
      ElementsAre("the list name \"web\" \"other\"", "plugins[0] bridge mtu 1400 1300",
                  "plugins[0] bridge ipMasq null true", "plugins[1] portmap type \"portmap\" null",
                  "plugins[1] portmap capabilities {\"portMappings\":true} null"));
}

TEST_F(UnictlChains, AWrapperStandsForItsChain) {
  write_file("/run/10-web.conflist", command("unictl", {"render", "--wrapper", "web"}).out);
  const Output same = command("unictl", {"diff", "web", "/run/10-web.conflist"});
  EXPECT_EQ(same.status, 0) << same.str();
  chain("db", "cniVersion: 1.0.0\nplugins: [{type: dummy}]\n");
  EXPECT_EQ(command("unictl", {"diff", "db", "/run/10-web.conflist"}).status, 1);
}

TEST_F(UnictlChains, AChainsFileIsNamedByItsName) {
  for (const char* verb : {"explain", "render"}) {
    EXPECT_THAT(command("unictl", {verb, "/etc/unicni/chains/web.yaml"}).err,
                HasSubstr("a chain is named without its folder and extension: web"))
        << verb;
  }
  EXPECT_THAT(command("cnitool", {"validate", "/etc/unicni/chains/web.yaml"}).out,
              HasSubstr("a chain in YAML is no network"));
}

TEST_F(UnictlChains, AWarningOfAnOptionNamesItsPlugin) {
  write_file("/run/11.conflist", R"({"cniVersion": "1.0.0", "name": "n", "plugins": [
{"type": "dummy"}, {"type": "tuning", "mtuu": 5}]})");
  EXPECT_THAT(command("unictl", {"explain", "/run/11.conflist"}).err,
              HasSubstr("warning: tuning: unknown key \"mtuu\" is ignored"));
}

TEST_F(UnictlChains, DiffComparesValues) {
  chain("nulls", "plugins:\n- {type: bridge, dns: ~, ipam: {type: host-local, subnet: ~}}\n");
  EXPECT_EQ(command("unictl", {"diff", "nulls", "nulls"}).str(),
            command("unictl", {"diff", "web", "web"}).str());
  const auto put = [](const std::string& file, const std::string& plugin) {
    write_file(file, R"({"cniVersion": "1.0.0", "name": "n", "plugins": [)" + plugin + "]}");
  };
  put("/run/a.conflist", R"({"type": "bridge", "mtu": 1500, "x": {"a": 1, "b": 2}})");
  put("/run/b.conflist",
      R"({"x": {"b": 2.0, "a": 1.0, "c": null}, "mtu": 1.5e3, "type": "\u0062ridge"})");
  const Output same = command("unictl", {"diff", "/run/a.conflist", "/run/b.conflist"});
  EXPECT_EQ(same.status, 0) << same.str();
  put("/run/b.conflist", R"({"x": {"b": 2.5, "a": 1.0}, "mtu": "1500", "type": "bridge"})");
  const Output other = command("unictl", {"diff", "--json", "/run/a.conflist", "/run/b.conflist"});
  EXPECT_EQ(other.status, 1);
  EXPECT_EQ(other.json().at("differences").size(), 2U) << other.str();
}

TEST_F(UnictlChains, ExplainShowsWhichRuleMadeWhat) {
  policy(
      "rules:\n"
      "  - name: small\n    match: {type: bridge}\n    override: {mtu: 1300}\n"
      "  - name: tenants\n    match: {namespace: 'tenant-*'}\n"
      "    append: [{type: bandwidth, egressRate: 5M, egressBurst: 1M}]\n");
  const auto members = [](const std::string& args) {
    const Output output = command("unictl", {"explain", "web", "--args", args, "--json"});
    EXPECT_EQ(output.status, 0) << output.str();
    return output.json().at("members");
  };
  const Json of_tenant = members("IgnoreUnknown=1;K8S_POD_NAMESPACE=tenant-a");
  ASSERT_EQ(of_tenant.size(), 3U);
  EXPECT_EQ(of_tenant[0]["config"]["mtu"], 1300);
  EXPECT_EQ(of_tenant[0]["source"],
            "chain /etc/unicni/chains/web.yaml; "
            "override bridge.mtu=1300: small (/etc/unicni/policy.d/a.yaml:4)");
  EXPECT_THAT(of_tenant[0]["makes"].get<std::string>(), HasSubstr("veth pair"));
  EXPECT_EQ(of_tenant[2]["config"]["egressRate"], 5000000);
  EXPECT_EQ(of_tenant[2]["source"], "add bandwidth: tenants (/etc/unicni/policy.d/a.yaml:7)");
  EXPECT_EQ(members("IgnoreUnknown=1;K8S_POD_NAMESPACE=other").size(), 2U);
}

TEST_F(UnictlChains, ExplainHasWhatTheRuntimeOffersAndTheErrorOfAnAdd) {
  const Output output = command(
      "unictl", {"explain", "web", "--json", "--cap", R"({"portMappings": [{"hostPort": 80}]})"});
  EXPECT_EQ(output.json()["members"][1]["config"]["runtimeConfig"]["portMappings"][0]["hostPort"],
            80);
  policy("rules: [{require: {hostPort: {min: 30000}}}]");
  const Output refused =
      command("unictl", {"explain", "web", "--cap", R"({"portMappings": [{"hostPort": 80}]})"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err,
              HasSubstr("hostPort 80 of portmap is not allowed; allowed: at least 30000"));
}

TEST_F(UnictlChains, ExplainTellsOfPoliciesThatAreNotInForce) {
  write_file("/etc/unicni/policy.d/b.yml", "rules: [{deny: x}]");
  EXPECT_THAT(command("unictl", {"explain", "web"}).err, HasSubstr("/etc/unicni/policy.d/b.yml"));
}

TEST_F(UnictlChains, AChainWhoseFileHasAnotherExtensionIsToldWhy) {
  write_file("/etc/unicni/chains/foo.yml", "plugins: [{type: bridge}]");
  EXPECT_THAT(command("unictl", {"render", "foo"}).err,
              HasSubstr("foo.yml is passed over, as chains are files NAME.yaml"));
}

/// As the executable does it with the file, whichever way it names its plugins.
TEST_F(UnictlChains, ExplainTakesAListInOneProcessByItsNameOrItsPlugins) {
  const auto members = [](const std::string& file) {
    const Output output = command("unictl", {"explain", file, "--json"});
    EXPECT_EQ(output.status, 0) << output.str();
    Json types = Json::array();
    const Json report = output.json();
    for (const Json& each : report.at("members")) types.push_back(each["type"]);
    return types;
  };
  write_file("/run/10.conflist", command("unictl", {"render", "--wrapper", "web"}).out);
  EXPECT_EQ(members("/run/10.conflist"), Json({"bridge", "portmap"}));
  write_file("/run/11.conflist", R"({"cniVersion": "1.0.0", "name": "n", "plugins": [
    {"type": "unicni", "plugins": [{"type": "bridge"}, {"type": "tuning"}]}]})");
  EXPECT_EQ(members("/run/11.conflist"), Json({"bridge", "tuning"}));
  write_file("/run/12.conf", R"({"cniVersion": "1.0.0", "name": "n", "type": "unicni",
    "plugins": [{"type": "bridge"}, {"type": "tuning"}]})");
  EXPECT_EQ(members("/run/12.conf"), Json({"bridge", "tuning"}));
  policy("rules: [{append: [{type: sbr}]}]");
  EXPECT_EQ(members("/run/11.conflist"), Json({"bridge", "tuning", "sbr"}));
  write_file("/run/13.conflist", R"({"cniVersion": "1.0.0", "name": "n", "plugins": [
    {"type": "bridge"}, {"type": "tuning"}]})");
  EXPECT_EQ(members("/run/13.conflist"), Json({"bridge", "tuning"}))
      << "nothing is added to plugins that are called alone";
}

TEST_F(UnictlChains, ExplainEndsWith1WhereAddWouldFail) {
  const auto explain = [](const std::string& plugin, const std::string& args = {}) {
    write_file("/run/10.conflist",
               R"({"cniVersion": "1.0.0", "name": "n", "plugins": [)" + plugin + "]}");
    return command("unictl", {"explain", "/run/10.conflist", "--json", "--args", args});
  };
  const Output wrong = explain(R"({"type": "bridge", "mtu": "x"})");
  EXPECT_EQ(wrong.status, 1);
  EXPECT_THAT(wrong.err, HasSubstr("ADD would fail with code 7: bridge: "));
  EXPECT_THAT(wrong.json()["members"][0]["refusal"].get<std::string>(), HasSubstr("mtu"));
  const char* host_local = R"({"type": "bridge", "ipam": {"type": "host-local",
    "subnet": "10.1.0.0/16"}})";
  const Output args = explain(host_local, "K8S_POD_NAMESPACE=web");
  EXPECT_EQ(args.status, 1);
  EXPECT_THAT(args.err, HasSubstr("ADD would fail with code 4: "));
  EXPECT_EQ(explain(host_local, "IgnoreUnknown=1;K8S_POD_NAMESPACE=web").status, 0);
  const Output alone = explain(R"({"type": "bridge"}, {"type": "tuning", "mtu": 1400})");
  EXPECT_EQ(alone.status, 0) << alone.str();
  EXPECT_FALSE(alone.json()["members"][1]["config"].contains("prevResult"));
  EXPECT_EQ(alone.json()["members"][1]["refusal"], nullptr);
}

/// Rules that hold for a delegate hold before anybody has to try it out.
TEST_F(UnictlChains, ExplainShowsADelegateAsTheRulesMakeIt) {
  tool({"mkdir", "-p", "/run/flannel"});
  write_file("/run/flannel/subnet.env",
             "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\n"
             "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n");
  write_file("/run/10.conflist",
             R"({"cniVersion": "1.0.0", "name": "n", "plugins": [{"type": "flannel"}]})");
  const auto explain = [] { return command("unictl", {"explain", "/run/10.conflist", "--json"}); };
  const auto delegate = [&] {
    const Output output = explain();
    EXPECT_EQ(output.status, 0) << output.str();
    const Json members = output.json().at("members");
    EXPECT_EQ(members.size(), 2U);
    return members.at(1);
  };
  const Json plain = delegate();
  EXPECT_EQ(plain["type"], "bridge");
  EXPECT_EQ(plain["config"]["mtu"], 1450);
  EXPECT_EQ(plain["config"]["ipam"]["ranges"][0][0]["subnet"], "10.244.1.0/24");
  EXPECT_EQ(plain["source"], "delegate of flannel");
  policy("rules: [{name: small, match: {type: bridge}, override: {mtu: 1300}}]");
  const Json small = delegate();
  EXPECT_EQ(small["config"]["mtu"], 1300);
  EXPECT_EQ(small["source"],
            "delegate of flannel; override bridge.mtu=1300: small "
            "(/etc/unicni/policy.d/a.yaml:1)");
  policy("rules: [{match: {type: flannel}, override: {delegate: {type: dummy}}}]");
  EXPECT_EQ(delegate()["type"], "dummy");
  for (const char* rule : {"rules: [{match: {type: bridge}, deny: not here}]",
                           "modules: {deny: [bridge]}", "rules: [{require: {mtu: {max: 1400}}}]",
                           "rules: [{match: {type: host-local}, deny: x}]"}) {
    policy(rule);
    const Output refused = explain();
    EXPECT_EQ(refused.status, 1) << rule;
    EXPECT_THAT(refused.err, HasSubstr("ADD would fail with code 120: bridge: ")) << rule;
    EXPECT_NE(refused.json()["members"][1]["refusal"], nullptr) << rule;
  }
}

/// One without a version would have the results of 0.1.0.
TEST_F(UnictlChains, TheWrapperHasAVersionThatHasAllOfAChain) {
  chain("plain", "plugins: [{type: bridge}]\n");
  EXPECT_EQ(command("unictl", {"render", "--wrapper", "plain"}).json()["cniVersion"], "1.0.0");
  chain("plain", "cniVersion: 0.4.0\nplugins: [{type: bridge}]\n");
  EXPECT_EQ(command("unictl", {"render", "--wrapper", "plain"}).json()["cniVersion"], "0.4.0");
}

TEST_F(UnictlChains, CompileIsCalledWronglyOrHasNothingToCompile) {
  const Output two = command("unictl", {"compile", "policy", "chain:web", "--print"});
  EXPECT_EQ(two.status, 2);
  EXPECT_EQ(two.out, "");
  const Output nowhere = command("unictl", {"compile", "--settings", "/run/nowhere"});
  EXPECT_EQ(nowhere.status, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("there is no folder /run/nowhere"));
  tool({"rm", "-r", "/etc/unicni"});
  EXPECT_EQ(command("unictl", {"compile"}).status, 0);
}

TEST_F(UnictlChains, CompileNamesWhatASubjectIs) {
  const Output output = command("unictl", {"compile", "web"});
  EXPECT_EQ(output.status, 2);
  EXPECT_THAT(output.err, HasSubstr("\"web\" is nothing to compile"));
  EXPECT_THAT(output.err, HasSubstr("write policy, or chain:web for the chain"));
}

/// Whoever tries a draft sees the draft, and the host goes on by its own settings.
TEST_F(UnictlChains, ATryOfOtherSettingsIsNoneOfThisHost) {
  policy("rules: [{name: live, match: {type: bridge}, deny: no bridge here}]\n");
  tool({"mkdir", "-p", "/run/draft/chains", "/run/draft/policy.d"});
  write_file("/run/draft/chains/web.yaml", "plugins: [{type: ptp}]\n");
  const std::string of_live = "/etc/unicni/policy.d/a.yaml:1";
  for (const bool live_first : {false, true}) {
    SCOPED_TRACE(live_first);
    tool({"rm", "-rf", "/run/unicni/compiled"});
    const auto expect_live = [&] {
      EXPECT_THAT(command("unictl", {"explain", "web"}).err, HasSubstr(of_live));
      EXPECT_EQ(command("unictl", {"compile"}).status, 0);
    };
    if (live_first) expect_live();
    write_file("/run/draft/policy.d/a.yaml", "rules: []\n");
    EXPECT_THAT(command("unictl", {"explain", "web", "--settings", "/run/draft"}).out,
                HasSubstr("chain /run/draft/chains/web.yaml"));
    write_file("/run/draft/policy.d/a.yaml", "rules: [{name: draft, deny: all of it}]\n");
    for (const std::string folder : {"/run/draft", "/run/../run/draft/"}) {
      const Output explained = command("unictl", {"explain", "web", "--settings", folder});
      EXPECT_EQ(explained.status, 1);
      EXPECT_THAT(explained.err, HasSubstr("/run/draft/policy.d/a.yaml:1"));
    }
    EXPECT_EQ(command("unictl", {"compile", "--settings", "/run/draft"}).status, 0);
    write_file("/run/draft/policy.d/a.yaml", "ruls: {");
    EXPECT_EQ(command("unictl", {"compile", "--settings", "/run/draft"}).status, 1);
    expect_live();
    EXPECT_EQ(entries_with("draft"), "");
  }
}

TEST_F(UnictlChains, ADraftThatAWrapperNamesStaysADraft) {
  tool({"cp", "-r", "/etc/unicni", "/run/draft"});
  write_file("/run/draft/chains/web.yaml", "plugins: [{type: ptp, mtu: 1234}]\n");
  write_file("/run/w.conflist", R"({"cniVersion": "1.0.0", "name": "web", "plugins": [
    {"type": "unicni", "chain": "web"}]})");
  EXPECT_EQ(command("unictl", {"compile"}).status, 0);
  const auto explained =
      command("unictl", {"explain", "/run/w.conflist", "--settings", "/run/draft"});
  EXPECT_THAT(explained.out, HasSubstr("ptp"));
  EXPECT_EQ(entries_with("1234"), "");
  EXPECT_NE(entries_with("chain:web"), "") << "but for this host's own";
}

TEST_F(UnictlChains, AWrapperOfAChainWithADotInItsNameIsComparedByTheChain) {
  chain("web.v2", "plugins: [{type: ptp, mtu: 1400}]\n");
  chain("web", "plugins: [{type: ptp, mtu: 1300}]\n");
  write_file("/run/w.conflist", R"({"cniVersion": "1.0.0", "name": "web", "plugins": [
    {"type": "unicni", "chain": "web.v2"}]})");
  const Output output = command("unictl", {"diff", "/run/w.conflist", "web"});
  EXPECT_EQ(output.status, 1) << output.str();
  EXPECT_THAT(output.out, HasSubstr("1400"));
}

TEST_F(UnictlChains, AFolderOfNoNameIsAWrongCall) {
  for (const char* option : {"--settings", "--run", "--executable"}) {
    const Output output = command("unictl", {"compile", option, ""});
    EXPECT_EQ(output.status, 2) << output.str();
    EXPECT_THAT(output.err, HasSubstr(std::string(option) + ": it is empty"));
  }
}

TEST_F(UnictlChains, OtherSettingsMayBeNamedFromTheWorkingFolder) {
  tool({"cp", "-r", "/etc/unicni", "/run/etc"});
  const Output output =
      run({.argv = {"/bin/sh", "-c",
                    "cd /run && exec \"$0\" compile --settings ./etc --run tried chain:web",
                    stage() + "/bin/unictl"}});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_THAT(read_file("/run/tried/compiled/chain:web"), HasSubstr("/run/etc/chains/web.yaml"));
}

TEST_F(UnictlChains, PoliciesThatALinkToNowhereHidesAreTold) {
  tool({"ln", "-s", "/nowhere/p.yaml", "/etc/unicni/policy.d/p.yaml"});
  EXPECT_EQ(command("unictl", {"compile"}).status, 1);
  const Output explained = command("unictl", {"explain", "web"});
  EXPECT_EQ(explained.status, 1);
  EXPECT_THAT(explained.err, HasSubstr("/etc/unicni/policy.d/p.yaml"));
}

TEST_F(UnictlChains, CompileTellsWhatCanNotBeCompiled) {
  policy("rules: []");
  chain("bad", "plugins: [");
  const Output output = command("unictl", {"compile", "--json"});
  EXPECT_EQ(output.status, 1);
  const Json rows = output.json().at("compiled");
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0]["subject"], "policy");
  EXPECT_EQ(rows[0]["problem"], nullptr);
  EXPECT_THAT(rows[1]["problem"].get<std::string>(), StartsWith("/etc/unicni/chains/bad.yaml:1:"));
  EXPECT_EQ(rows[2]["sources"][1], "/etc/unicni/chains/web.yaml");
  EXPECT_TRUE(exists("/run/unicni/compiled/chain:web"));
}

}  // namespace
}  // namespace unicni::test::unictl_chains_test
