#include "settings/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error_for_test.h"
#include "policy/compiled.h"
#include "settings/tree_for_test.h"
#include "unicni/line.h"

namespace unicni::settings::settings_test {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

using Unknown = Settings::Unknown;

class SettingsTest : public ::testing::Test {
 protected:
  [[nodiscard]] Settings settings() const {
    return {tree_.services(), tree_.where(), environment_, soon()};
  }
  /// unictl prints this entry, and leaves its arguments in the file "asked".
  void unictl_prints(const Compiled& compiled) const {
    tree_.write("answer", print_compiled(compiled));
    tree_.unictl("echo \"$@\" >> " + tree_.path("asked") + "; cat " + tree_.path("answer"));
  }
  [[nodiscard]] Compiled entry(const std::string& folder, std::string body) const {
    Compiled compiled{{}, true, {}, std::move(body)};
    compiled.sources.push_back(*find_source(tree_.path(folder)));
    compiled.sources.push_back(*find_source(tree_.where().executable));
    return compiled;
  }

  Tree tree_;
  std::vector<std::string> environment_{"PATH=/usr/bin:/bin"};
};

policy::Policy denying() {
  policy::Policy policy;
  policy.rules = {{"r", {"a.yaml", 1, 1}}};
  policy.rules[0].deny = "no";
  return policy;
}

TEST_F(SettingsTest, WithoutAFolderThereAreNoPoliciesAndNobodyIsAsked) {
  tree_.unictl("exit 1");
  EXPECT_EQ(settings().policy(), std::nullopt);
}

TEST_F(SettingsTest, WhatChangedIsCompiledByUnictl) {
  tree_.folder("etc/policy.d");
  unictl_prints(entry("etc/policy.d", policy::print_policy(denying())));
  EXPECT_EQ(settings().policy(), denying());
  EXPECT_EQ(tree_.read("asked"), "compile policy --print --settings " + tree_.path("etc") +
                                     " --executable " + tree_.where().executable + " --run " +
                                     tree_.path("run") + "\n");
}

TEST_F(SettingsTest, AnEntryOfUnchangedSourcesIsEnough) {
  tree_.folder("etc/policy.d");
  tree_.write("etc/policy.d/a.yaml", "x");
  Compiled compiled = entry("etc/policy.d", policy::print_policy(denying()));
  compiled.sources.push_back(*find_source(tree_.path("etc/policy.d/a.yaml")));
  tree_.write("run/compiled/policy", print_compiled(compiled));
  EXPECT_EQ(settings().policy(), denying()) << "there is no unictl at all";

  tree_.write("etc/policy.d/a.yaml", "y");  // another inode of the same size
  EXPECT_THAT(refusal_of([&] { (void)settings().policy(); }, Code::policy_unreadable),
              HasSubstr("is absent"));
}

TEST_F(SettingsTest, AnEntryThatWasNotSettledOrIsDamagedIsCompiledAgain) {
  tree_.folder("etc/policy.d");
  Compiled young = entry("etc/policy.d", policy::print_policy(denying()));
  young.is_settled = false;
  const std::string whole = print_compiled(entry("etc/policy.d", policy::print_policy({})));
  unictl_prints(young);
  for (const std::string& text :
       {print_compiled(young), whole.substr(0, whole.size() - 1), whole + "x", std::string("x\n"),
        LineWriter("unicni-compiled").add("version", "2").finish(), std::string()}) {
    tree_.write("run/compiled/policy", text);
    EXPECT_EQ(settings().policy(), denying()) << text;
  }
}

TEST_F(SettingsTest, OfAnotherFolderAnEntryIsNobodys) {
  tree_.folder("etc/policy.d");
  tree_.folder("other");
  unictl_prints(entry("etc/policy.d", policy::print_policy(denying())));
  tree_.write("run/compiled/policy", print_compiled(entry("other", policy::print_policy({}))));
  EXPECT_EQ(settings().policy(), denying());
}

/// Whose modules have other options, which say what a value is.
TEST_F(SettingsTest, OfAnotherTreesExecutableAnEntryIsNobodys) {
  tree_.folder("etc/policy.d");
  tree_.folder("other");
  tree_.write("other/unicni", "");
  unictl_prints(entry("etc/policy.d", policy::print_policy(denying())));
  Compiled of_other = entry("etc/policy.d", policy::print_policy({}));
  of_other.sources.back() = *find_source(tree_.path("other/unicni"));
  tree_.write("run/compiled/policy", print_compiled(of_other));
  EXPECT_EQ(settings().policy(), denying());

  tree_.write("libexec/cni/bridge", "a copy");
  of_other.sources.back() = *find_source(tree_.path("libexec/cni/bridge"));
  tree_.write("run/compiled/policy", print_compiled(of_other));
  EXPECT_EQ(settings().policy(), policy::Policy()) << "copies of one folder have the same modules";
}

TEST_F(SettingsTest, DelTakesNoChainOfOtherSettings) {
  tree_.folder("etc/chains");
  tree_.folder("draft/chains");
  tree_.write("run/compiled/chain:web", print_compiled(entry("draft/chains", "{}")));
  EXPECT_EQ(settings().find_chain("web", Unknown::stays), std::nullopt);
}

TEST_F(SettingsTest, WithoutUnictlAnAddFailsNamingWhereItWasLookedFor) {
  tree_.folder("etc/policy.d");
  EXPECT_EQ(
      refusal_of([&] { (void)settings().policy(); }, Code::policy_unreadable),
      "unictl, which compiles " + tree_.path("etc") + ", is absent: " + tree_.path("bin/unictl"));
  module::Locations where;
  EXPECT_TRUE(compiler_places(where).empty());
  where.executable = "/b/exec/unicni";
  where.installed_unictl = "/p/bin/unictl";
  EXPECT_EQ(compiler_places(where),
            (std::vector<std::string>{"/b/tools/unictl/unictl", "/p/bin/unictl"}));
}

TEST_F(SettingsTest, AUnictlThatOthersCanWriteIsNotRun) {
  tree_.folder("etc/policy.d");
  unictl_prints(entry("etc/policy.d", policy::print_policy(denying())));
  ASSERT_EQ(::chmod(tree_.path("bin/unictl").c_str(), 0777), 0);
  EXPECT_THAT(refusal_of([&] { (void)settings().policy(); }, Code::policy_unreadable),
              HasSubstr("has mode 0777, so others than its owner can write it"));
  EXPECT_EQ(tree_.read("asked"), "");
}

TEST_F(SettingsTest, AFolderOfEntriesThatOthersCanWriteIsNotBelieved) {
  tree_.folder("etc/policy.d");
  tree_.write("run/compiled/policy",
              print_compiled(entry("etc/policy.d", policy::print_policy({}))));
  ASSERT_EQ(::chmod(tree_.path("run/compiled").c_str(), 0777), 0);
  EXPECT_NE(refusal_of([&] { (void)settings().policy(); }, Code::policy_unreadable), "");
  EXPECT_EQ(settings().find_chain("web", Unknown::stays), std::nullopt) << "DEL never fails for it";
}

TEST_F(SettingsTest, WhatUnictlRefusesIsTheErrorOfTheVerb) {
  tree_.folder("etc/policy.d");
  tree_.folder("etc/chains");
  tree_.unictl(
      R"(echo '{"cniVersion":"1.1.0","code":7,"msg":"f:1:2: bad","details":"d"}'; exit 1)");
  EXPECT_EQ(refusal_of([&] { (void)settings().policy(); }, Code::policy_unreadable), "f:1:2: bad");
  EXPECT_EQ(refusal_of([&] { (void)settings().chain("web"); }, Code::invalid_config), "f:1:2: bad");
  tree_.unictl("echo garbage");
  EXPECT_THAT(refusal_of([&] { (void)settings().chain("web"); }, Code::policy_unreadable),
              StartsWith(tree_.path("bin/unictl") + " printed nothing"));
}

TEST_F(SettingsTest, WhatStandsInThePlaceOfTheFolderIsNoAbsence) {
  tree_.folder("etc");
  ASSERT_EQ(::symlink("nowhere", tree_.path("etc/policy.d").c_str()), 0);
  EXPECT_THAT(refusal_of([&] { (void)settings().policy(); }, Code::policy_unreadable),
              StartsWith("stat " + tree_.path("etc/policy.d") + ": No such file"));
  ASSERT_EQ(::unlink(tree_.path("etc/policy.d").c_str()), 0);
  tree_.write("etc/policy.d", "");
  EXPECT_EQ(refusal_of([&] { (void)settings().policy(); }, Code::policy_unreadable),
            tree_.path("etc/policy.d") + " is no folder");
}

TEST_F(SettingsTest, AUnictlThatIsKilledIsNamed) {
  tree_.folder("etc/policy.d");
  tree_.folder("etc/chains");
  tree_.unictl("kill -KILL $$");
  for (const char* subject : {"policy", "chain:web"}) {
    const std::string told = refusal_of(
        [&] { *subject == 'p' ? (void)settings().policy() : (void)settings().chain("web"); },
        Code::policy_unreadable);
    EXPECT_EQ(told, tree_.path("bin/unictl") + " compile " + subject + ": signal 9");
  }
}

TEST_F(SettingsTest, AChainIsTheListThatItDescribesAndStaysKnownForDel) {
  tree_.folder("etc/chains");
  unictl_prints(entry("etc/chains", R"({"plugins":[]})"));
  EXPECT_EQ(settings().chain("web"), R"({"plugins":[]})");
  EXPECT_THAT(tree_.read("asked"), StartsWith("compile chain:web --print"));

  tree_.write("run/compiled/chain:web", tree_.read("answer"));
  tree_.write("etc/chains/web.yaml", "changed since");
  tree_.unictl("exit 1");
  EXPECT_EQ(settings().find_chain("web", Unknown::is_compiled), R"({"plugins":[]})")
      << "as it was, whoever may ask";
  EXPECT_EQ(settings().find_chain("db", Unknown::stays), std::nullopt);
}

TEST_F(SettingsTest, AChainThatNothingIsLeftOfIsCompiledIfThatIsAskedFor) {
  tree_.folder("etc/chains");
  unictl_prints(entry("etc/chains", R"({"plugins":[]})"));
  EXPECT_EQ(settings().find_chain("web", Unknown::stays), std::nullopt);
  EXPECT_EQ(settings().find_chain("web", Unknown::is_compiled), R"({"plugins":[]})");
  tree_.unictl("exit 1");
  EXPECT_EQ(settings().find_chain("web", Unknown::is_compiled), std::nullopt) << "no error";
}

TEST(Compiled, ReadsAsItWasWritten) {
  const Compiled compiled{
      {{"/etc/a b", 1, 2, -3, 4}, {"/etc/c", 5, 6, 7, 8}}, true, {"a warning\n"}, "{\"a\": 1}\n"};
  const auto read = parse_compiled(print_compiled(compiled));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sources, compiled.sources);
  EXPECT_TRUE(read->is_settled);
  EXPECT_EQ(read->warnings, compiled.warnings);
  EXPECT_EQ(read->body, compiled.body);
}

}  // namespace
}  // namespace unicni::settings::settings_test
