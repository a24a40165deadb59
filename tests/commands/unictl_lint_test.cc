// unictl lint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "command.h"
#include "support/recorder.h"
#include "support/sandbox.h"

namespace unicni::test::unictl_lint_test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kFile = "/run/web.yaml";
constexpr const char* kPolicy = "/run/policy.yaml";

class UnictlLint : public ::testing::Test {
 protected:
  /// "LINE:COLUMN SEVERITY TEXT", a line each.
  static std::string lint(const std::vector<std::string>& files, int status,
                          std::vector<std::string> env = {}) {
    std::vector<std::string> arguments{"lint", "--json"};
    arguments.insert(arguments.end(), files.begin(), files.end());
    const Output output = command("unictl", arguments, std::move(env));
    EXPECT_EQ(output.status, status) << output.str();
    std::string lines;
    const Json report = output.json();
    for (const Json& each : report.at("findings")) {
      lines += std::to_string(each.at("line").get<int>()) + ':' +
               std::to_string(each.at("column").get<int>()) + ' ' +
               each.at("severity").get<std::string>() + ' ' + each.at("text").get<std::string>() +
               '\n';
    }
    return lines;
  }
  static std::string lint_of(const std::string& text, int status,
                             std::vector<std::string> env = {}) {
    write_file(kFile, text);
    return lint({kFile}, status, std::move(env));
  }

  Sandbox sandbox_;
};

TEST_F(UnictlLint, SaysAllThatIsWrongWithItsPlace) {
  EXPECT_EQ(lint_of("plugins:\n- type: bridge\n  mtu: much\n  brige: x\n", 1),
            "3:8 error plugins[0].mtu: an integer from 0 to 65535 is expected, not much\n"
            "4:3 error plugins[0].brige: unknown key; did you mean \"bridge\"?\n");
  EXPECT_EQ(lint_of("plugins: [\n", 1).substr(0, 10), "2:1 error ");
  EXPECT_EQ(lint_of("plugins: [{type: bridge}]\n", 0), "");
  EXPECT_EQ(lint({"/run/absent"}, 1), "1:1 error there is no file /run/absent\n");
  EXPECT_EQ(lint({"/dev/zero"}, 1), "1:1 error /dev/zero is a device\n");
}

/// Its static initialiser does, which nobody can catch. Other files are linted all the same.
TEST_F(UnictlLint, AModuleThatEndsWhoeverOpensItIsLeftOut) {
  namespace fs = std::filesystem;
  const fs::path prefix = "/run/moved";
  const auto copy = [&](const fs::path& from, const std::string& to) {
    fs::create_directories((prefix / to).parent_path());
    fs::copy_file(from, prefix / to);
  };
  for (const char* file :
       {"bin/unictl", "lib/libunicni.so.0", "lib/unicni/modules/dummy.so", "libexec/cni/unicni"}) {
    copy(fs::path(stage()) / file, file);
  }
  for (const std::string type :
       {"fixture-exits-when-opened", "fixture-segv-when-opened", "fixture-throws-when-opened"}) {
    copy(fs::path(FIXTURES) / (type + ".so"), "lib/unicni/modules/" + type + ".so");
  }
  fs::create_symlink("unicni", prefix / "libexec/cni/fixture-exits-when-opened");
  write_file(kFile, "plugins:\n- type: dummy\n  mtu: 1\n- type: fixture-exits-when-opened\n");
  // In the build of the address sanitizer its handler would make an exit of the signal.
  const Output output =
      run({.argv = {prefix / "bin/unictl", "lint", kFile, "--json"},
           .env = {"CNI_PATH=" + (prefix / "libexec/cni").string(), "ASAN_OPTIONS=handle_segv=0"}});
  EXPECT_EQ(output.status, 1) << output.str();
  EXPECT_THAT(output.out, HasSubstr("plugins[0].mtu: unknown key"));
  const std::string is_unusable = "-when-opened.so is unusable: a static initialiser of it ";
  EXPECT_THAT(output.err, HasSubstr("/run/moved/lib/unicni/modules/fixture-exits" + is_unusable +
                                    "calls exit\n"));
  EXPECT_THAT(output.err,
              HasSubstr("fixture-segv" + is_unusable + "ends the process by signal 11"));
  EXPECT_THAT(output.err, HasSubstr("fixture-throws" + is_unusable +
                                    "ends the process by signal 6 (Aborted), as an exception"));
}

TEST_F(UnictlLint, ATypeThatNobodyHasIsToldWithTheNearestName) {
  const std::string chain =
      "plugins:\n- type: bridge\n  ipam: {type: host-locl}\n- type: firewal\n";
  const std::string rest =
      " type host-locl: no module and no program has this type; did you mean \"host-local\"?\n"
      "4:9 ";
  const std::string firewall =
      " type firewal: no module and no program has this type; did you mean \"firewall\"?\n";
  EXPECT_EQ(lint_of(chain, 0), "3:16 warning" + rest + "warning" + firewall)
      << "another maker's plugin may be missing here alone";
  EXPECT_EQ(lint_of(chain, 1, {"CNI_PATH=/run/plugins"}), "3:16 error" + rest + "error" + firewall);
  const Recorder foreign("firewal");
  EXPECT_EQ(lint_of("plugins: [{type: firewal}]", 0, {"CNI_PATH=" + foreign.folder()}), "");
}

TEST_F(UnictlLint, ARuleAboutATypeThatNobodyHasIsTold) {
  EXPECT_EQ(lint_of("rules:\n- match: {type: [brigde, 'x*']}\n  deny: x\n"
                    "- append: [{type: bandwith}]\n",
                    0),
            "2:18 warning type brigde: the rule is about a type that nobody has; did you mean "
            "\"bridge\"?\n"
            "4:19 warning type bandwith: no module and no program has this type; did you mean "
            "\"bandwidth\"?\n");
}

TEST_F(UnictlLint, AMisspeltTypeThatIsDeniedOrAllowedIsTold) {
  const std::string rest = " type brige: nobody has this type; did you mean \"bridge\"?\n";
  EXPECT_EQ(lint_of("modules: {deny: [brige, 'x*'], allow: brige}\n", 0),
            "1:39 warning" + rest + "1:18 warning" + rest);
  EXPECT_EQ(lint_of("modules: {deny: [brige]}\n", 1, {"CNI_PATH=/run/plugins"}),
            "1:18 error" + rest);
  EXPECT_EQ(lint_of("modules: {deny: bridge, allow: [portmap]}\n", 0), "");
}

TEST_F(UnictlLint, ARuleThatCanMatchNothingIsAnError) {
  EXPECT_THAT(lint_of("rules:\n- match: {namespace: Tenant-A}\n  deny: x\n", 1),
              ::testing::StartsWith("2:22 error rules[0].match.namespace: \"Tenant-A\" matches"));
}

/// As ADD, which warns of a policy of such a name and has no chain of it.
TEST_F(UnictlLint, AFileThatNobodyReadsBecauseOfItsNameIsAnError) {
  Sandbox::keep_etc();
  tool({"mkdir", "-p", "/etc/unicni/chains", "/etc/unicni/policy.d"});
  const char* policy = "rules: [{deny: x}]\n";
  const char* chain = "plugins: [{type: bridge}]\n";
  for (const char* file : {"/run/a.yml", "/run/a.YAML", "/run/a.json", "/etc/unicni/policy.d/a"}) {
    write_file(file, policy);
    EXPECT_EQ(lint({file}, 1), "1:1 error nobody reads a policy of this name\n") << file;
  }
  for (const char* file : {"/run/web.yml", "/run/web.YAML", "/etc/unicni/chains/web"}) {
    write_file(file, std::string("name: web\ncniVersion: 1.1.0\n") + chain);
    EXPECT_EQ(lint({file}, 1), "1:1 error nobody reads a chain of this name\n") << file;
  }
  for (const char* file : {"/etc/unicni/policy.d/.deny.yaml", "/etc/unicni/chains/.web.yaml"}) {
    write_file(file, file[12] == 'p' ? policy : chain);
    EXPECT_THAT(lint({file}, 1),
                HasSubstr("1:1 error nobody reads a file whose name begins with a dot\n"));
  }
  write_file("/run/stream", policy);
  EXPECT_EQ(lint({"/run/stream"}, 0), "") << "what a pipe has may become a file of any name";
}

TEST_F(UnictlLint, WhatIsAddedToPluginsThatAreCalledAloneIsAnError) {
  write_file(kPolicy, "rules:\n- match: {network: 'w*'}\n  append:\n  - {type: tuning}\n");
  const auto list = [](const std::string& name, const std::string& type) {
    write_file("/run/10.conflist", R"({"cniVersion":"1.0.0","name":")" + name +
                                       R"(","plugins":[{"type":")" + type + R"("}]})");
    return std::vector<std::string>{kPolicy, "/run/10.conflist"};
  };
  EXPECT_EQ(lint(list("web", "bridge"), 1),
            "4:5 error nothing can be added to network web, whose plugins are called alone "
            "(/run/10.conflist)\n");
  EXPECT_EQ(lint(list("db", "bridge"), 0), "") << "the rule is about other networks";
  EXPECT_EQ(lint({kPolicy}, 0), "");
  write_file("/run/10.conflist", R"({"cniVersion": "1.0.0", "name": "wide"})");
  tool({"mkdir", "-p", "/run/wide"});
  write_file("/run/wide/10.conf", R"({"type": "bridge"})");
  EXPECT_EQ(lint({kPolicy, "/run/10.conflist"}, 1).substr(0, 56),
            "4:5 error nothing can be added to network wide, whose pl");
  write_file(kFile, "plugins: [{type: bridge}]");
  EXPECT_EQ(lint({kPolicy, kFile}, 0), "") << "a chain is a list";
}

constexpr const char* kList = "/run/10.conflist";

/// What an ADD validates before it changes anything is a linter's as well.
TEST_F(UnictlLint, WhatNoAddCanDoIsAnErrorWithItsPlace) {
  const struct {
    const char* plugin;
    const char* finding;
  } rows[] = {
      {R"({"type": "bridge", "ipam": {"type": "bridge"}})",
       "2:37 error ADD would fail with code 7: ipam.type: bridge is no IPAM plugin\n"},
      {R"({"type": "bridge", "bridge": "waytoolongbridgename"})",
       "2:30 error ADD would fail with code 7: bridge: "},
      {R"({"type": "host-local"})", "2:1 error ADD would fail with code 7: "},
      {R"({"type": "tuning", "sysctl": {"kernel.x": "1"}})", "2:1 error ADD would fail with code"},
      {R"({"type": "unicni", "plugins": [{"type": "bridge", "bridge": "waytoolongbridgename"}]})",
       "2:61 error ADD would fail with code 7: bridge: "},
      {R"({"type": "unicni", "plugins": [{"type": "bridge", "brigde": "x"}]})",
       "2:51 error plugins[0].plugins[0].brigde: unknown key; did you mean \"bridge\"?\n"},
  };
  for (const auto& row : rows) {
    write_file(kList, std::string(R"({"cniVersion": "1.0.0", "name": "n", "plugins": [)") + '\n' +
                          row.plugin + "]}");
    EXPECT_THAT(lint({kList}, 1), ::testing::StartsWith(row.finding)) << row.plugin;
  }
  write_file(kList, R"({"cniVersion": "abc", "name": "n", "plugins": [{"type": "bridge"}]})");
  EXPECT_EQ(lint({kList}, 1),
            "1:16 error cniVersion: a version as 1.0.0 is expected, not \"abc\"\n");
  write_file(kList, R"({"cniVersion": "1.9.0", "name": "n",
"plugins": [{"type": "bridge"}, {"type": "portmap"}]})");
  EXPECT_EQ(lint({kList}, 1),
            "1:16 error cniVersion: ADD would fail with code 1: incompatible CNI versions\n");
  EXPECT_THAT(command("unictl", {"lint", kList}).out,
              HasSubstr("config is \"1.9.0\", plugin supports [\"0.1.0\""));
}

TEST_F(UnictlLint, WhatTheRuntimeOrTheHostMayBringIsNoError) {
  write_file(kList, R"({"cniVersion": "1.0.0", "name": "n", "plugins": [
{"type": "host-device", "capabilities": {"deviceID": true}},
{"type": "flannel"}, {"type": "portmap", "capabilities": {"portMappings": true}}]})");
  EXPECT_THAT(lint({kList}, 0), ::testing::StartsWith("2:1 warning ADD would fail with code 7: "));
}

/// As flannel's, whose configuration is known where flanneld has been.
TEST_F(UnictlLint, ADelegateThatNoAddCouldUseIsAnErrorWithItsPlace) {
  const auto lint_delegate = [](const std::string& delegate, int status,
                                std::vector<std::string> env = {}) {
    write_file(kList, R"({"cniVersion": "1.0.0", "name": "n", "plugins": [
{"type": "flannel", "delegate": )" +
                          delegate + "}]}");
    return lint({kList}, status, std::move(env));
  };
  EXPECT_THAT(lint_delegate(R"({"type": "brigde"})", 0),
              ::testing::StartsWith("2:42 warning type brigde: no module and no program has this "
                                    "type; did you mean \"bridge\"?"));
  EXPECT_THAT(lint_delegate(R"({"type": "brigde"})", 1, {"CNI_PATH=/run/plugins"}),
              ::testing::StartsWith("2:42 error type brigde: "));
  tool({"mkdir", "-p", "/run/flannel"});
  write_file("/run/flannel/subnet.env",
             "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\n"
             "FLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n");
  EXPECT_EQ(lint_delegate(R"({"mtu": 1400})", 0), "");
  EXPECT_THAT(lint_delegate(R"({"bridge": "waytoolongbridgename"})", 1),
              ::testing::StartsWith("2:44 error ADD would fail with code 7: bridge: "));
  EXPECT_THAT(lint_delegate(R"({"type": "host-local"})", 1), HasSubstr("the work of flannel"));
}

/// Spec 1.1: a list may have its plugins, or some of them, as files in the folder of its name.
TEST_F(UnictlLint, PluginsInFilesOfTheirOwnAreOfTheList) {
  tool({"mkdir", "-p", "/run/drop"});
  write_file("/run/10.conflist", R"({"cniVersion": "1.1.0", "name": "drop"})");
  EXPECT_THAT(lint({kList}, 1), HasSubstr("network \"drop\" has no plugin"));
  write_file("/run/drop/10.conf", R"({"type": "bridge"})");
  EXPECT_EQ(lint({kList}, 0), "");
  const Output explained = command("unictl", {"explain", kList, "--json"});
  EXPECT_EQ(explained.status, 0) << explained.str();
  EXPECT_EQ(explained.json().at("members").at(0).at("type"), "bridge");
  write_file("/run/drop/20.conf", R"({"type": "tuning", "mtuu": 5})");
  EXPECT_EQ(lint({kList}, 1), "1:20 error mtuu: unknown key; did you mean \"mtu\"?\n");
  write_file("/run/drop/20.conf", R"({"type": "tuning", "mtu": "x"})");
  EXPECT_THAT(lint({kList}, 1), HasSubstr("1:27 error mtu: an integer from 0 to 65535"));
  write_file(kList, R"({"cniVersion": "1.1.0", "name": "drop", "loadOnlyInlinedPlugins": true})");
  EXPECT_THAT(lint({kList}, 1), HasSubstr("plugins: missing"));
}

/// The same files by the three who read them: what one refuses, an ADD would.
/// One that can't be understood keeps nobody from looking at the others.
TEST_F(UnictlLint, EachPluginInAFileOfItsOwnIsLookedAt) {
  write_file(kList, R"({"cniVersion": "1.1.0", "name": "drop", "plugins": [{"type": "bridge"}]})");
  tool({"mkdir", "-p", "/run/drop"});
  write_file("/run/drop/20.conf", R"({"type": "unicni", "chain": "absent"})");
  write_file("/run/drop/30.conf", R"({"type": "tuning", "mtuu": 5})");
  const std::string told = lint({kList}, 1);
  EXPECT_THAT(told, ::testing::HasSubstr("absent"));
  EXPECT_THAT(told, ::testing::HasSubstr("mtuu: unknown key"));
}

TEST_F(UnictlLint, AListIsNoPluginWhateverItHas) {
  write_file("/run/x.conflist", R"({"cniVersion": "1.0.0", "name": "x", "type": "bridge"})");
  EXPECT_NE(lint({"/run/x.conflist"}, 1), "");
}

TEST_F(UnictlLint, LintExplainAndValidateAgreeOnWhatNoAddTakes) {
  Sandbox::keep_etc();
  tool({"mkdir", "-p", "/etc/unicni/chains"});
  write_file("/etc/unicni/chains/web.yaml", "cniVersion: 1.1.0\nplugins: [{type: bridge}]\n");
  const std::string plugins = stage() + "/libexec/cni";
  const struct {
    const char* keys;  ///< of a plugin of type unicni
    int status;
  } rows[] = {
      {R"(,"chain":"web")", 0},
      {R"(,"chain":"web","plugins":null)", 0},
      {R"(,"chain":"web","plugins":[{"type":"bridge"}])", 1},
      {R"(,"chain":"wbe")", 1},
      {R"(,"chain":"../x")", 1},
      {R"(,"chain":5)", 1},
      {R"(,"chain":"")", 1},
      {R"(,"plugins":[])", 1},
      {R"(,"plugins":{})", 1},
      {R"(,"plugins":[{"type":"bridge"}])", 0},
      {R"(,"plugins":[{"type":"bridge","mtu":"x"}])", 1},
      {"", 1},
  };
  for (const auto& row : rows) {
    write_file(kList, std::string(R"({"cniVersion":"1.1.0","name":"web","plugins":[{"type":)") +
                          R"("unicni")" + row.keys + "}]}");
    const std::vector<std::string> env = {"CNI_PATH=" + plugins};
    EXPECT_EQ(command("unictl", {"lint", kList}, env).status, row.status) << row.keys;
    EXPECT_EQ(command("unictl", {"explain", kList}, env).status, row.status) << row.keys;
    EXPECT_EQ(command("cnitool", {"validate", kList}, env).status, row.status) << row.keys;
  }
}

TEST_F(UnictlLint, AListInAListIsAnError) {
  EXPECT_THAT(lint_of("plugins:\n- {type: unicni, plugins: [{type: bridge}]}\n", 1),
              ::testing::StartsWith("2:3 error ADD would fail with code 7: a member of"));
  write_file(kPolicy, "rules:\n- append: [{type: unicni, plugins: [{type: tuning}]}]\n");
  EXPECT_EQ(lint({kPolicy}, 1),
            "2:19 error rules[0].append[0].type: a list can't be added to a list\n");
}

TEST_F(UnictlLint, AFileOfOnePluginIsOne) {
  const std::string examples = UNICNI_SOURCE_DIR "/config/examples/";
  EXPECT_EQ(lint({examples + "10-mynet.conf", examples + "99-loopback.conf"}, 0), "");
  write_file("/run/10.conf", R"({"cniVersion": "1.0.0", "name": "n", "type": "bridge",
"brigde": "x"})");
  EXPECT_EQ(lint({"/run/10.conf"}, 1), "2:1 error brigde: unknown key; did you mean \"bridge\"?\n");
  write_file("/run/10.conf", R"({"cniVersion": "1.0.0", "name": "n", "type": "unicni",
"plugins": [{"type": "bridge"}]})");
  EXPECT_EQ(lint({"/run/10.conf"}, 0), "");
}

TEST_F(UnictlLint, WhatAnIpamReadsBesideItsObjectIsLookedAt) {
  EXPECT_EQ(lint_of("rules:\n- append:\n  - {type: bridge, ipam: {type: static},\n"
                    "     runtimeConfig: {ips: 1},\n     args: {cni: yes}}\n",
                    1),
            "4:27 error rules[0].append[0].runtimeConfig.ips: a list is expected, not 1\n"
            "5:18 error rules[0].append[0].args.cni: an object is expected, not yes\n");
}

TEST_F(UnictlLint, NumbersWithUnitsAreForPolicies) {
  EXPECT_EQ(lint_of("rules: [{append: [{type: bandwidth, egressRate: 100M, egressBurst: 1M}]}]", 0),
            "");
  write_file(kFile, "plugins: [{type: bandwidth, egressRate: 100M, egressBurst: 8000}]");
  const Output output = command("unictl", {"lint", kFile});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.out, HasSubstr("; in digits: 100000000"));
}

}  // namespace
}  // namespace unicni::test::unictl_lint_test
