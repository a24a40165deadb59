#include "compile/compile.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <thread>

#include "base/error_for_test.h"
#include "policy/compiled.h"
#include "settings/tree_for_test.h"

namespace unicni::compile::compile_test {
namespace {

using settings::Compiled;
using settings::Tree;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr const char* kWeb = "{name: web, cniVersion: 1.0.0, plugins: [{type: a, mtu: 1400}]}";

class CompileTest : public ::testing::Test {
 protected:
  CompileTest() {
    tree_.folder("etc/chains");
    tree_.folder("etc/policy.d");
  }
  Compiled compile(const std::string& subject) const {
    return Compiler(tree_.services().folders, tree_.where(), soon()).compile(subject);
  }
  [[nodiscard]] std::string refusal(const std::string& subject, Code code) const {
    return refusal_of([&] { compile(subject); }, code);
  }
  /// Until what was written is old enough for a change to show.
  static void settle() { std::this_thread::sleep_for(std::chrono::milliseconds(70)); }

  Tree tree_;
};

TEST_F(CompileTest, AChainIsTheJsonOfItsListWithItsSources) {
  tree_.write("etc/chains/web.yaml", kWeb);
  const Compiled compiled = compile("chain:web");
  EXPECT_EQ(compiled.body,
            R"({"name":"web","cniVersion":"1.0.0","plugins":[{"type":"a","mtu":1400}]})");
  ASSERT_THAT(compiled.sources, SizeIs(3));
  EXPECT_EQ(compiled.sources[0].path, tree_.path("etc/chains"));
  EXPECT_EQ(compiled.sources[1].path, tree_.path("etc/chains/web.yaml"));
  EXPECT_EQ(compiled.sources[2].path, tree_.where().executable);
  EXPECT_EQ(settings::find_compiled(tree_.services().folders, "chain:web")->body, compiled.body);
}

TEST_F(CompileTest, PoliciesAreAllFilesInTheOrderOfBytes) {
  tree_.write("etc/policy.d/b.yaml", "rules: [{name: second, deny: x}]");
  tree_.write("etc/policy.d/a.yaml", "rules: [{name: first, deny: x}]\nmodules: {deny: [m]}");
  const auto policy = policy::parse_policy(compile("policy").body);
  ASSERT_TRUE(policy);
  ASSERT_THAT(policy->rules, SizeIs(2));
  EXPECT_EQ(policy->rules[0].name, "first");
  EXPECT_EQ(policy->rules[1].name, "second");
  EXPECT_THAT(policy->modules, SizeIs(1));
}

TEST_F(CompileTest, OnlyWhatIsOldEnoughForAChangeToShowIsSettled) {
  tree_.write("etc/chains/web.yaml", kWeb);
  EXPECT_FALSE(compile("chain:web").is_settled);
  settle();
  EXPECT_TRUE(compile("chain:web").is_settled) << "an unsettled entry is made again";
  EXPECT_TRUE(
      settings::is_current(*settings::find_compiled(tree_.services().folders, "chain:web")));
}

/// A file that is overwritten in the tick in which it was compiled has the ctime that it had.
TEST_F(CompileTest, AFileReplacedWithinOneTickIsCompiledAgain) {
  const std::string path = tree_.path("etc/chains/web.yaml");
  tree_.write("etc/chains/web.yaml", kWeb);
  for (int i = 0; i < 50; ++i) {
    const std::string mtu = std::to_string(1400 + i);
    std::string text = kWeb;
    text.replace(text.find("1400"), 4, mtu);
    const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    ASSERT_EQ(::pwrite(file, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    ::close(file);
    EXPECT_THAT(compile("chain:web").body, HasSubstr("\"mtu\":" + mtu));
  }
}

TEST_F(CompileTest, ASettledEntryIsNotMadeAgain) {
  tree_.write("etc/chains/web.yaml", kWeb);
  settle();
  const Compiled first = compile("chain:web");
  const auto entry = settings::find_source(tree_.path("run/compiled/chain:web"));
  compile("chain:web");
  EXPECT_EQ(settings::find_source(tree_.path("run/compiled/chain:web")), entry);
  tree_.write("etc/chains/other.yaml", "");
  compile("chain:web");
  EXPECT_NE(settings::find_source(tree_.path("run/compiled/chain:web")), entry)
      << "the folder has changed";
}

TEST_F(CompileTest, AnEntryOfOtherSettingsOrModulesIsMadeAnew) {
  tree_.write("etc/chains/web.yaml", kWeb);
  tree_.folder("draft/chains");
  tree_.write("draft/chains/web.yaml", "{name: web, plugins: [{type: draft}]}");
  tree_.folder("other");
  tree_.write("other/unicni", "");
  settle();
  Folders draft = tree_.services().folders;
  draft.settings = tree_.path("draft");
  module::Locations other = tree_.where();
  other.executable = tree_.path("other/unicni");
  const auto body = [&](const Folders& folders, const module::Locations& where) {
    return Compiler(folders, where, soon()).compile("chain:web");
  };
  EXPECT_TRUE(compile("chain:web").is_settled);
  EXPECT_THAT(body(draft, tree_.where()).body, HasSubstr("draft"));
  EXPECT_THAT(compile("chain:web").body, HasSubstr("1400"));
  EXPECT_EQ(body(tree_.services().folders, other).sources.back().path, other.executable);
  EXPECT_EQ(compile("chain:web").sources.back().path, tree_.where().executable);
}

TEST_F(CompileTest, ATryNeitherReadsNorLeavesEntries) {
  tree_.write("etc/chains/web.yaml", kWeb);
  settle();
  Compiler compiler(tree_.services().folders, tree_.where(), soon(), settings::Keep::nothing);
  EXPECT_THAT(compiler.compile("chain:web").body, HasSubstr("1400"));
  EXPECT_EQ(settings::find_compiled(tree_.services().folders, "chain:web"), std::nullopt);
  Compiled wrong = compile("chain:web");
  wrong.body = "{}";
  tree_.write("run/compiled/chain:web", settings::print_compiled(wrong));
  EXPECT_THAT(compiler.compile("chain:web").body, HasSubstr("1400"));
}

/// Which options there are, and so what a value is, may have changed.
TEST_F(CompileTest, AnUpgradeOfTheExecutableOrOfAModuleCompilesAgain) {
  tree_.folder("lib");
  tree_.write("lib/first.so", "of one version");
  tree_.modules("lib");
  tree_.write("etc/policy.d/a.yaml", "rules: []");
  settle();
  EXPECT_TRUE(compile("policy").is_settled);
  const auto is_current = [&] {
    return settings::is_current(*settings::find_compiled(tree_.services().folders, "policy"));
  };
  ASSERT_TRUE(is_current());
  const auto expect_found = [&](const std::string& what) {
    EXPECT_FALSE(is_current()) << what;
    settle();
    compile("policy");
    EXPECT_TRUE(is_current()) << what;
  };
  tree_.write("libexec/cni/unicni", "another build");
  expect_found("the executable");
  tree_.write("lib/first.so", "of a later one");
  expect_found("a module that replaces one");
  tree_.write("lib/second.so", "");
  expect_found("a module that came");
}

TEST_F(CompileTest, AModuleThatWasOverwrittenInItsPlaceIsFoundByWhoCompiles) {
  tree_.folder("lib");
  tree_.write("lib/first.so", "of one version");
  tree_.modules("lib");
  tree_.write("etc/chains/web.yaml", kWeb);
  settle();
  compile("chain:web");
  const auto entry = settings::find_source(tree_.path("run/compiled/chain:web"));
  const int file = ::open(tree_.path("lib/first.so").c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(::pwrite(file, "OF", 2, 0), 2);
  ::close(file);
  compile("chain:web");
  EXPECT_NE(settings::find_source(tree_.path("run/compiled/chain:web")), entry);
}

TEST_F(CompileTest, WhatOthersCanWriteIsRefused) {
  tree_.write("etc/chains/web.yaml", kWeb);
  tree_.write("etc/policy.d/a.yaml", "rules: []");
  ASSERT_EQ(::chmod(tree_.path("etc/policy.d/a.yaml").c_str(), 0666), 0);
  EXPECT_THAT(refusal("policy", Code::policy_unreadable),
              HasSubstr("a.yaml is not believed: file "));
  ASSERT_EQ(::chmod(tree_.path("etc/chains").c_str(), 0777), 0);
  EXPECT_THAT(refusal("chain:web", Code::invalid_config), HasSubstr("has mode 0777"));
  ASSERT_EQ(::chmod(tree_.path("etc/chains").c_str(), 0700), 0);
  ASSERT_EQ(::chown(tree_.path("etc/chains/web.yaml").c_str(), 1234, 0), 0);
  EXPECT_THAT(refusal("chain:web", Code::invalid_config), HasSubstr("belongs to uid 1234"));
}

/// Somebody wanted a policy there.
TEST_F(CompileTest, APolicyThatCanNotBeReadIsNotPassedOver) {
  const std::string path = tree_.path("etc/policy.d/p.yaml");
  ASSERT_EQ(::symlink("/nowhere/p.yaml", path.c_str()), 0);
  EXPECT_THAT(refusal("policy", Code::policy_unreadable), HasSubstr("etc/policy.d/p.yaml"));
  ASSERT_EQ(::unlink(path.c_str()), 0);
  EXPECT_NO_THROW(compile("policy"));
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_THAT(refusal("policy", Code::policy_unreadable), HasSubstr("p.yaml is not believed"));
  ASSERT_EQ(::unlink(path.c_str()), 0);
  ASSERT_EQ(::mkdir(path.c_str(), 0700), 0);
  EXPECT_THAT(refusal("policy", Code::policy_unreadable), HasSubstr("p.yaml"));
  ASSERT_EQ(::rmdir(path.c_str()), 0);
  ASSERT_EQ(::rmdir(tree_.path("etc/policy.d").c_str()), 0);
  ASSERT_EQ(::symlink("/nowhere", tree_.path("etc/policy.d").c_str()), 0);
  EXPECT_THAT(refusal("policy", Code::policy_unreadable), HasSubstr("etc/policy.d"));
  ASSERT_EQ(::unlink(tree_.path("etc/policy.d").c_str()), 0);
  tree_.write("etc/policy.d", "a file");
  EXPECT_THAT(refusal("policy", Code::policy_unreadable), HasSubstr("is no folder"));
}

TEST_F(CompileTest, AChainThatIsALinkToNowhereIsNamed) {
  ASSERT_EQ(::symlink("/nowhere/web.yaml", tree_.path("etc/chains/web.yaml").c_str()), 0);
  EXPECT_THAT(refusal("chain:web", Code::invalid_config), HasSubstr("etc/chains/web.yaml"));
}

TEST_F(CompileTest, AFileThatIsNearlyAPolicyIsToldOf) {
  for (const char* name : {"a.yml", "b.JSON", "c.YAML", "README", ".d.yml", "e.yaml~"}) {
    tree_.write(std::string("etc/policy.d/") + name, "rules: [{deny: x}]");
  }
  const Compiled compiled = compile("policy");
  ASSERT_THAT(compiled.warnings, SizeIs(3));
  EXPECT_THAT(compiled.warnings[0],
              HasSubstr("policy.d/a.yml is passed over: a policy's file ends in .yaml"));
}

TEST_F(CompileTest, AFolderOfPoliciesAmongThePoliciesIsToldOf) {
  for (const char* path : {"sub/a.yaml", "more/b.yml", "notes/README", ".data/c.yaml"}) {
    std::filesystem::create_directories(
        std::filesystem::path(tree_.path(std::string("etc/policy.d/") + path)).parent_path());
    tree_.write(std::string("etc/policy.d/") + path, "rules: [{deny: x}]");
  }
  const std::string folder = tree_.path("etc/policy.d");
  EXPECT_THAT(compile("policy").warnings,
              ElementsAre(folder + "/more is passed over: policies are files of " + folder +
                              ", not of folders in it",
                          HasSubstr("/sub is passed over")));
}

TEST_F(CompileTest, WhatIsWrongHasItsPlaceAndItsCode) {
  tree_.write("etc/policy.d/a.yaml", "rules: [{requre: 1}]");
  EXPECT_EQ(refusal("policy", Code::policy_unreadable),
            tree_.path("etc/policy.d/a.yaml") +
                ":1:10: rules[0].requre: unknown key; did you mean \"require\"?");
  tree_.write("etc/policy.d/a.yaml", "a: [");
  EXPECT_THAT(refusal("policy", Code::policy_unreadable), HasSubstr("a.yaml:1:5"));
  tree_.write("etc/chains/web.yaml", "{name: other, plugins: [{type: a}]}");
  EXPECT_THAT(refusal("chain:web", Code::invalid_config), HasSubstr(":1:8: name: \"web\""));
  EXPECT_THAT(refusal("chain:wbe", Code::invalid_config), HasSubstr("no chain \"wbe\""));
  EXPECT_NE(refusal("chain:../web", Code::invalid_config), "");
}

TEST_F(CompileTest, WithoutAPlaceToKeepItInItIsCompiledAllTheSame) {
  tree_.write("etc/chains/web.yaml", kWeb);
  ASSERT_EQ(::rmdir(tree_.path("run/compiled").c_str()), 0);
  tree_.write("run/compiled", "a file");
  EXPECT_THAT(compile("chain:web").body, HasSubstr("1400"));
}

/// Each sees one of the two files, whole.
TEST_F(CompileTest, ManyCompilersAndAWriterAtOnce) {
  std::string other = kWeb;
  other.replace(other.find("1400"), 4, "1500");
  tree_.write("etc/chains/web.yaml", kWeb);
  std::atomic<bool> is_over = false;
  std::thread writer([&] {
    for (int i = 0; !is_over; ++i) tree_.write("etc/chains/web.yaml", i % 2 == 0 ? other : kWeb);
  });
  std::vector<std::thread> compilers;
  std::atomic<int> whole = 0;
  for (int thread = 0; thread < 8; ++thread) {
    compilers.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        const std::string body = compile("chain:web").body;
        const bool has_either = body.find("1400}") != body.npos || body.find("1500}") != body.npos;
        whole += has_either ? 1 : 0;
      }
    });
  }
  for (std::thread& each : compilers) each.join();
  is_over = true;
  writer.join();
  EXPECT_EQ(whole, 80);
  tree_.write("etc/chains/web.yaml", kWeb);
  EXPECT_THAT(compile("chain:web").body, HasSubstr("1400"));
}

}  // namespace
}  // namespace unicni::compile::compile_test
