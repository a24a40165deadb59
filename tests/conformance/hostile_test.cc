// Plugins that hang, flood, kill or say nothing: the suite survives them, leaves nothing of them,
// and lets nothing pass that rests on an answer they didn't give.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "conformance/host_state.h"
#include "conformance/silence.h"
#include "conformance/suite.h"
#include "probe/process.h"

namespace unicni::conformance::hostile_test {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::SizeIs;

/// For plugins that answer by echo or never.
constexpr milliseconds kCallLimit{400};

constexpr const char* kSaysVersions =
    "[ \"$CNI_COMMAND\" = VERSION ] &&"
    " echo '{\"cniVersion\": \"1.0.0\", \"supportedVersions\": [\"1.0.0\"]}'\n";
constexpr const char* kSaysResult =
    "[ \"$CNI_COMMAND\" = ADD ] && echo '{\"cniVersion\": \"1.0.0\", "
    "\"ips\": [{\"address\": \"10.1.2.3/24\"}]}'\n";

class HostileTest : public ::testing::Test {
 protected:
  HostileTest() {
    char name[] = "/tmp/unicni-hostile.XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~HostileTest() override {
    std::error_code error;
    fs::remove_all(folder_, error);
  }
  Subject file(const std::string& text) const {
    const std::string path = folder_ / "plugin";
    std::ofstream(path) << text;
    fs::permissions(path, fs::perms::owner_all);
    return {path, profile_for("plugin", Json{{"name", "n"}, {"type", "plugin"}}, Kind::ipam)};
  }
  Subject script(const std::string& text) const { return file("#!/bin/sh\n" + text); }

  static Course run(Subject subject, const std::vector<std::string>& ids = {}) {
    const Limits limits{.call = kCallLimit};
    subject.ask_versions(limits.call);
    return run_suite(subject, ids, limits, nullptr);
  }
  static const Verdict& of(const Course& course, const std::string& id) {
    for (const Verdict& verdict : course.verdicts) {
      if (verdict.check.ids == id) return verdict;
    }
    throw std::runtime_error("no verdict of " + id);
  }
  static void expect_blocked(const Course& course, const std::vector<std::string>& ids) {
    for (const std::string& id : ids) EXPECT_EQ(of(course, id).outcome, Outcome::blocked) << id;
  }
  static bool runs(const std::string& words) {
    return probe::succeeds({"pgrep", "-f", "^" + words});
  }

  fs::path folder_;
};

TEST_F(HostileTest, WhoNeverAnswersPassesNothingAndIsSoonLetAlone) {
  Subject subject = script("exec sleep 4711\n");
  const Course course = run(subject);
  EXPECT_THAT(course.stopped, HasSubstr("doesn't answer: 3 calls in a row, of at most 0.4 s each"));
  EXPECT_THAT(of(course, kAnswerId).findings, SizeIs(3));
  for (const Verdict& verdict : course.verdicts) {
    EXPECT_NE(verdict.outcome, Outcome::passed) << verdict.check.ids << ' ' << verdict.check.what;
    EXPECT_TRUE(verdict.outcome != Outcome::violated || verdict.check.ids == std::string(kAnswerId))
        << verdict.check.ids;
  }
  EXPECT_EQ(conformity_of(course.verdicts), Conformity::not_conforming);
  EXPECT_FALSE(runs("sleep 4711"));
  subject.ask_versions(kCallLimit);
  EXPECT_FALSE(subject.told_versions());
}

TEST_F(HostileTest, AHangIsAFindingOfItsOwnAndBlocksWhatWasAsked) {
  const Course course = run(script(std::string("[ \"$CNI_COMMAND\" = DEL ] && exec sleep 4712\n") +
                                   kSaysVersions + kSaysResult + "exit 0\n"),
                            {"DEL-01", "IPAM-01"});
  EXPECT_EQ(course.stopped, "");
  EXPECT_THAT(of(course, kAnswerId).findings, SizeIs(2)) << "ours, and that of the check";
  expect_blocked(course, {"DEL-01"});
  EXPECT_THAT(of(course, "DEL-01").why, HasSubstr("DEL: no answer within 0.4 s"));
  EXPECT_EQ(of(course, "IPAM-01").outcome, Outcome::passed);
}

TEST_F(HostileTest, WhoKillsOrStopsItsCallerIsFound) {
  for (const char* how : {"-KILL", "-STOP"}) {
    const Course course = run(script(std::string("kill ") + how + " $PPID\n"), {"VERN-01"});
    EXPECT_FALSE(of(course, kAnswerId).findings.empty()) << how;
    EXPECT_THAT(of(course, "VERN-01").why, HasSubstr("caller got signal")) << how;
    EXPECT_EQ(conformity_of(course.verdicts), Conformity::not_conforming) << how;
  }
}

TEST_F(HostileTest, WhoKillsItsProcessGroupKillsNobodyElse) {
  const Course course = run(script("kill -KILL 0\n"), {"VERN-01"});
  ASSERT_THAT(of(course, "VERN-01").findings, SizeIs(1));
  EXPECT_THAT(of(course, "VERN-01").findings[0].text, HasSubstr("signal 9"));
}

TEST_F(HostileTest, WhoIgnoresSignalsAndClosesItsOutputIsEndedAllTheSame) {
  const Course course = run(
      script("trap '' TERM INT HUP\nexec >&- 2>&-\nwhile :; do sleep 4713; done\n"), {"VERN-01"});
  EXPECT_THAT(of(course, "VERN-01").why, HasSubstr("doesn't answer"));
  EXPECT_FALSE(runs("sleep 4713"));
}

TEST_F(HostileTest, WhatAPluginWritesWhereItStandsIsNotLeftThere) {
  run(script(std::string("echo > unicni-left-behind\n") + kSaysVersions), {"VERN-01"});
  EXPECT_FALSE(fs::exists("unicni-left-behind"));
  EXPECT_FALSE(fs::exists(kWorkingFolder));
}

TEST_F(HostileTest, WhoSaysNothingPassesNoCheckOfWhatIsSaid) {
  const std::vector<std::string> ids = {"OUT-03", "ERR-02", "EXEC-17", "VERN-03"};
  const Course course = run(script("exit 0\n"), ids);
  expect_blocked(course, ids);
  EXPECT_EQ(conformity_of(course.verdicts), Conformity::undecided);
}

TEST_F(HostileTest, WhoAlwaysFailsHasRefusedNothing) {
  const std::vector<std::string> ids = {"CONF-03", "EXEC-09", "ARGS-02", "ARGS-05"};
  const Course course = run(script("exit 1\n"), ids);
  expect_blocked(course, ids);
  EXPECT_THAT(course.failing_add, HasSubstr("exit status 1"));
}

TEST_F(HostileTest, WhatHasNotTheFormOfAResultIsViolatedAndNotOnlyUnreadable) {
  const char* const results[] = {
      R"({"cniVersion": "1.0.0", "ips": {"a": {"address": 7}}, "dns": []})",
      R"({"cniVersion": "1.0.0", "interfaces": 5, "ips": [{"address": "10.1.2.3/24"}]})",
      R"({"cniVersion": "1.0.0", "ips": [{"address": "x/24"}]})",
      R"({"cniVersion": "1.0.0", "ips": [{"address": 7}]})"};
  for (const char* result : results) {
    const std::string says = std::string("[ \"$CNI_COMMAND\" = ADD ] && echo '") + result + "'\n";
    const Course course = run(script(kSaysVersions + says + "exit 0\n"), {"RES-04"});
    EXPECT_EQ(course.verdicts.back().outcome, Outcome::violated) << result;
  }
}

TEST_F(HostileTest, JsonThatIsTooDeepIsNone) {
  const std::string deep(1000000, '[');
  EXPECT_TRUE(parse_json(deep + std::string(deep.size(), ']')).is_discarded());
  EXPECT_TRUE(parse_json('"' + deep + '"').is_string());
  EXPECT_TRUE(parse_json(R"(["\"[", {"a": [1]}])").is_array());
}

TEST_F(HostileTest, WhatCannotBeExecutedIsToldBeforeAnyCheck) {
  const std::pair<std::string, const char*> files[] = {{"no program", "\"#!\""},
                                                       {"#!/nobody/has/this\n", "interpreter"}};
  for (const auto& [text, advice] : files) {
    Subject subject = file(text);
    try {
      subject.ask_versions(kCallLimit);
      FAIL() << text;
    } catch (const CannotRun& error) {
      EXPECT_THAT(error.what(), HasSubstr("can't be executed"));
      EXPECT_THAT(error.advice(), HasSubstr(advice));
    }
  }
}

TEST_F(HostileTest, OutOfTimeNothingIsDecided) {
  const Course course = run_suite(script(kSaysVersions), {}, {.all = milliseconds(0)}, nullptr);
  EXPECT_THAT(course.stopped, HasSubstr("--time-limit"));
  EXPECT_EQ(conformity_of(course.verdicts), Conformity::undecided);
}

}  // namespace
}  // namespace unicni::conformance::hostile_test
