// When the processes of a list start, shown by a list in which one is the universal executable.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline_for_test.h"
#include "base/error_for_test.h"
#include "runtime/netns_for_test.h"
#include "runtime/plugins_for_test.h"
#include "unicni/runtime.h"

namespace unicni::runtime::by_programs_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// For a plugin's script: the spawner has this many children or more, within ten seconds.
std::string wait_for_children(int count) {
  return "for i in $(seq 1000); do set -- $(cat /proc/$PPID/task/$PPID/children); [ $# -ge " +
         std::to_string(count) + " ] && break; sleep 0.01; done; [ $# -ge " +
         std::to_string(count) + " ] || exit 9; ";
}

class ByPrograms : public ::testing::Test {
 protected:
  ByPrograms() {
    for (const char* type : {"one", "two"}) plugins_.install(type);
    options_.plugin_folders = {plugins_.folder()};
    options_.executable = UNICNI_EXECUTABLE;
    options_.folders.run = state_ / "run";
    options_.folders.cni_state = state_ / "cni";
    options_.environment = {{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}};
  }
  static NetworkConfig network(const std::string& second) {
    return Runtime::parse_network(
        R"({"cniVersion":"1.1.0","name":"net","plugins":[{"type":"one"},)" + second + "]}");
  }

  TempFolder state_;
  Plugins plugins_;
  RuntimeOptions options_;
};

constexpr const char* kOurs = R"({"type":"unicni","plugins":[{"type":"two"}]})";

TEST_F(ByPrograms, OursStartsWhileTheOneBeforeItWorks) {
  plugins_.answer("one", "STATUS", wait_for_children(2) + "exit 0\n");
  const Runtime runtime(options_);
  runtime.status(network(kOurs));
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one STATUS", "two STATUS"));
}

TEST_F(ByPrograms, WhatWasStartedForNothingHasDoneNothing) {
  plugins_.answer("one", "STATUS",
                  wait_for_children(2) + "echo '{\"code\":50,\"msg\":\"not now\"}'; exit 1\n");
  const Runtime runtime(options_);
  const Error error = error_of([&] { runtime.status(network(kOurs)); });
  EXPECT_TRUE(error.is(Code::not_available)) << error.msg();
  // The next verb's processes are the only ones.
  plugins_.answer("one", "STATUS",
                  "for i in $(seq 1000); do set -- $(cat /proc/$PPID/task/$PPID/children); "
                  "[ $# = 1 ] && exit 0; sleep 0.01; done; exit 1\n");
  runtime.status(Runtime::parse_network(R"({"cniVersion":"1.1.0","name":"net","type":"one"})"));
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one STATUS", "one STATUS"));
}

TEST_F(ByPrograms, ProgramsOfOthersStartInTheirTurn) {
  const std::string mark = state_ / "mark";
  plugins_.answer("one", "STATUS", "sleep 0.3; [ ! -e " + mark + " ]; exit\n");
  plugins_.install_script("two", "echo > " + mark + "; cat > /dev/null\n");
  const Runtime runtime(options_);
  EXPECT_NO_THROW(runtime.status(network(R"({"type":"two"})")));
}

TEST_F(ByPrograms, AnAddThatTookAllOfItsTimeIsRolledBack) {
  plugins_.answer("two", "ADD", "exec sleep 60\n");
  const Runtime runtime(options_);
  const RuntimeConf conf{"c1", "/run/netns/none", "eth0"};
  const Error error = error_of([&] {
    runtime.add(network(R"({"type":"two"})"), conf, {.time = std::chrono::milliseconds(500)});
  });
  EXPECT_THAT(error.msg(), HasSubstr("deadline"));
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one ADD", "two ADD", "two DEL", "one DEL"));
  EXPECT_THAT(error.details(), Not(HasSubstr("roll-back"))) << "all of it was undone";
}

/// The list of type unicni undoes itself what it had done. Its DEL would run all its programs.
TEST_F(ByPrograms, AMemberThatPolicyRefusesIsNotRolledBack) {
  const Runtime runtime(options_);
  const RuntimeConf conf{"c1", "/run/netns/none", "eth0"};
  for (const auto& [code, refuses] :
       {std::pair(120U, true), std::pair(121U, true), std::pair(119U, false)}) {
    plugins_.forget();
    plugins_.fail("two", "ADD", code, "no");
    const Error error = error_of([&] { runtime.add(network(kOurs), conf); });
    EXPECT_THAT(error.msg(), HasSubstr("no"));
    std::vector<std::string> verbs = {"one ADD", "two ADD", "two DEL", "two DEL", "one DEL"};
    if (refuses) verbs.erase(verbs.begin() + 3);
    EXPECT_EQ(plugins_.verbs(), verbs) << code;
  }
}

TEST_F(ByPrograms, AProgramOfAnotherMakerMayHaveThatCodeForSomethingElse) {
  const Runtime runtime(options_);
  plugins_.fail("two", "ADD", 120, "no");
  const RuntimeConf conf{"c1", "/run/netns/none", "eth0"};
  error_of([&] { runtime.add(network(R"({"type":"two"})"), conf); });
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one ADD", "two ADD", "two DEL", "one DEL"));
}

TEST_F(ByPrograms, AHungDelLeavesTheOthersTimeForTheirs) {
  const std::string mark = state_ / "mark";
  plugins_.fail("two", "ADD", 111, "full");
  plugins_.answer("two", "DEL", "exec sleep 60\n");
  plugins_.answer("one", "DEL", "sleep 0.5; echo > " + mark + "; exit 0\n");
  options_.del_time = std::chrono::seconds(4);
  options_.verb_time = std::chrono::seconds(1);
  const Runtime runtime(options_);
  const RuntimeConf conf{"c1", "/run/netns/none", "eth0"};
  const auto begin = std::chrono::steady_clock::now();
  const Error error = error_of([&] { runtime.add(network(R"({"type":"two"})"), conf); });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
  EXPECT_EQ(error.msg(), "two: full");
  EXPECT_EQ(
      error.details(),
      "roll-back: two: netplugin failed with no error message: it was ended at the deadline; DEL "
      "will try again");
  EXPECT_TRUE(std::filesystem::exists(mark));
}

TEST_F(ByPrograms, AHungGcLeavesTheOthersTimeForTheirs) {
  plugins_.answer("one", "GC", "exec sleep 60\n");
  const std::string mark = state_ / "mark";
  plugins_.answer("two", "GC", "sleep 0.5; echo > " + mark + "; exit 0\n");
  options_.verb_time = kSlowness * std::chrono::milliseconds(3000);
  const Runtime runtime(options_);
  const Error error = error_of([&] { runtime.gc(network(R"({"type":"two"})"), {}); });
  EXPECT_THAT(error.msg(), HasSubstr("one: "));
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one GC", "two GC"));
  EXPECT_TRUE(std::filesystem::exists(mark));
}

/// Every namespace has a lo: here it is the interface that another ADD made.
class ByProgramsWithAStandingInterface : public ByPrograms {
 protected:
  ByProgramsWithAStandingInterface() { plugins_.install("three"); }
  Error failed_add() {
    const Runtime runtime(options_);
    return error_of([&] {
      runtime.add(
          Runtime::parse_network(R"({"cniVersion":"1.1.0","name":"net",)"
                                 R"("plugins":[{"type":"one"},{"type":"two"},{"type":"three"}]})"),
          {"c1", netns_.path(), "lo"});
    });
  }
  const LivingNetns netns_;
};

TEST_F(ByProgramsWithAStandingInterface, TheFirstRefusesAndNothingIsRolledBack) {
  plugins_.fail("one", "ADD", 100, "lo already exists");
  const Error error = failed_add();
  EXPECT_EQ(error.msg(), "one: lo already exists");
  EXPECT_THAT(error.details(), HasSubstr("nothing is rolled back, as lo in " + netns_.path()));
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one ADD"));
}

TEST_F(ByProgramsWithAStandingInterface, AFirstThatHangsIsNotRolledBackEither) {
  plugins_.answer("one", "ADD", "exec sleep 60\n");
  options_.verb_time = kSlowness * std::chrono::milliseconds(300);
  EXPECT_THAT(failed_add().details(), HasSubstr("nothing is rolled back"));
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one ADD"));
}

TEST_F(ByProgramsWithAStandingInterface, WhatThisAddDidIsRolledBackAndNoMore) {
  plugins_.fail("two", "ADD", 111, "full");
  EXPECT_EQ(failed_add().details(), "");
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one ADD", "two ADD", "two DEL", "one DEL"));
}

}  // namespace
}  // namespace unicni::runtime::by_programs_test
