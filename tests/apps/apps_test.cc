// Verbs inside of a program that goes on: nothing may fail, and nothing of them may stay, neither
// on the host nor in the program, whatever it does with signals, children and its main thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "nothing_left.h"
#include "support/attachment.h"
#include "support/kernel_state.h"
#include "support/recorder.h"
#include "support/sample.h"
#include "support/sandbox.h"

namespace unicni::test::apps_test {
namespace {

/// Rounds of ADD, CHECK and DEL; with 16 threads 10,000 verbs where tools/test --full says so.
std::string many() { return is_full() ? "209" : "6"; }
constexpr const char* kSome = "6";

class Application : public ::testing::Test {
 protected:
  void live(const std::string& threads, const std::string& rounds,
            std::vector<std::string> habits = {}) {
    std::vector<std::string> argv{APPLICATION, stage() + "/lib/unicni/modules", threads, rounds};
    std::move(habits.begin(), habits.end(), std::back_inserter(argv));
    const Snapshot before = snapshot();
    const Output output = run({.argv = argv,
                               .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
                               .limit = std::chrono::seconds(580)});
    EXPECT_TRUE(output.ok()) << output.str();
    EXPECT_EQ(output.out, "");
    EXPECT_EQ(output.err, "");
    expect_nothing_left(before);
  }

  Sandbox sandbox_;
};

TEST_F(Application, OneThreadLeavesNothing) { live("1", kSome); }

TEST_F(Application, SixteenThreadsLeaveNothing) { live("16", many()); }

TEST_F(Application, ThatIgnoresTheEndOfChildren) { live("16", kSome, {"--ignores-sigchld"}); }

TEST_F(Application, ThatWaitsForAnyChild) { live("16", kSome, {"--waits-for-any"}); }

TEST_F(Application, WhoseMainThreadHasEnded) { live("16", kSome, {"--main-ends"}); }

/// A member of the list that is a program: hands the result on, and writes down what it was called
/// for.
class ApplicationWithForeignPlugin : public Application {
 protected:
  void live_with_it(std::vector<std::string> habits = {}) {
    std::filesystem::create_directory(kFolder);
    install_script(std::string(kFolder) + "/foreign",
                   "#!/bin/sh\necho $CNI_COMMAND $CNI_CONTAINERID >> " + std::string(kLog) +
                       "\n[ $CNI_COMMAND = ADD ] && exec jq -c .prevResult\ncat > /dev/null\n");
    habits.insert(habits.end(), {"--plugins", kFolder, stage() + "/libexec/cni/unicni"});
    live("16", "2", std::move(habits));
    constexpr int kCalls = 16 * 3;  // a round more than asked for: the first
    for (const char* verb : {"ADD", "CHECK", "DEL"}) EXPECT_EQ(calls(verb), kCalls) << verb;
  }

 private:
  static constexpr const char* kFolder = "/var/lib/plugins";
  static constexpr const char* kLog = "/var/lib/plugins.log";

  static int calls(const std::string& verb) {
    std::ifstream lines(kLog);
    int count = 0;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(verb + " c")) ++count;
    }
    return count;
  }
};

TEST_F(ApplicationWithForeignPlugin, SixteenThreadsRunIt) { live_with_it(); }

TEST_F(ApplicationWithForeignPlugin, ThatIgnoresTheEndOfChildren) {
  live_with_it({"--ignores-sigchld"});
}

TEST_F(ApplicationWithForeignPlugin, ThatWaitsForAnyChild) { live_with_it({"--waits-for-any"}); }

TEST_F(ApplicationWithForeignPlugin, WhoseMainThreadHasEnded) { live_with_it({"--main-ends"}); }

}  // namespace
}  // namespace unicni::test::apps_test
