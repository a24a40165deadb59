// unictl lint.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
  write_file(kFile, "plugins: [{type: bridge}]");
  EXPECT_EQ(lint({kPolicy, kFile}, 0), "") << "a chain is a list";
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
