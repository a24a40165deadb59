// Verbs inside of a program that goes on: nothing may fail, and nothing of them may stay, neither
// on the host nor in the program, whatever it does with signals, children and its main thread.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "support/attachment.h"
#include "support/kernel_state.h"
#include "support/sandbox.h"

namespace unicni::test::apps_test {
namespace {

using ::testing::IsEmpty;

/// Rounds of ADD, CHECK and DEL; with 16 threads 10,000 verbs where tools/test --full says so.
std::string many() { return std::getenv("UNICNI_FULL") != nullptr ? "209" : "6"; }
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
    EXPECT_EQ(difference(without_link(before, "cni0"), without_link(snapshot(), "cni0")), "");
    EXPECT_THAT(files_in(kJournals), IsEmpty());
    EXPECT_THAT(reservations("mynet"), IsEmpty());
    EXPECT_THAT(owners(), IsEmpty());
  }

  Sandbox sandbox_;
};

TEST_F(Application, OneThreadLeavesNothing) { live("1", kSome); }

TEST_F(Application, SixteenThreadsLeaveNothing) { live("16", many()); }

TEST_F(Application, ThatIgnoresTheEndOfChildren) { live("16", kSome, {"--ignores-sigchld"}); }

TEST_F(Application, ThatWaitsForAnyChild) { live("16", kSome, {"--waits-for-any"}); }

TEST_F(Application, WhoseMainThreadHasEnded) { live("16", kSome, {"--main-ends"}); }

}  // namespace
}  // namespace unicni::test::apps_test
