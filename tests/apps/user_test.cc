// Lists through unicni/runtime.h, by a program of its own on a host of its own: nothing fails, and
// nothing of them stays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "support/attachment.h"
#include "support/kernel_state.h"
#include "support/sandbox.h"

namespace unicni::test::user_test {
namespace {

using ::testing::IsEmpty;

/// Rounds of six verbs each; with 16 threads 10,000 verbs where tools/test --full says so.
std::string many() { return std::getenv("UNICNI_FULL") != nullptr ? "105" : "4"; }

class RuntimeUser : public ::testing::Test {
 protected:
  void live(const std::string& plugins, const std::string& isolation, const std::string& threads,
            const std::string& rounds, std::vector<std::string> argv = {USER}) {
    const Snapshot before = snapshot();
    for (const std::string& argument :
         {stage() + "/libexec/cni/unicni", plugins, stage() + "/lib/unicni/modules", isolation,
          threads, rounds}) {
      argv.push_back(argument);
    }
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

TEST_F(RuntimeUser, InTheProcess) { live(bin_dir(), "in-process", "1", "6"); }

TEST_F(RuntimeUser, ByProcesses) { live(bin_dir(), "process", "1", "3"); }

TEST_F(RuntimeUser, WithoutPluginsInThePath) {
  live("/nonexistent", "in-process", "1", "2");
  live("/nonexistent", "process", "1", "2");
}

TEST_F(RuntimeUser, FindsExecutableAndModulesByALinkInThePath) {
  std::filesystem::create_directory("/run/plugins");
  std::filesystem::create_symlink(bin_dir() + "/unicni", "/run/plugins/unicni");
  for (const char* isolation : {"in-process", "process"}) {
    const Output output = run({.argv = {USER, "", "/run/plugins", "", isolation, "1", "1"},
                               .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
                               .limit = std::chrono::seconds(60)});
    EXPECT_TRUE(output.ok()) << output.str();
  }
}

TEST_F(RuntimeUser, SixteenThreadsInTheProcess) { live(bin_dir(), "in-process", "16", many()); }

TEST_F(RuntimeUser, SixteenThreadsByProcesses) { live(bin_dir(), "process", "16", "2"); }

TEST_F(RuntimeUser, OfTheSharedLibrary) {
  live(bin_dir(), "in-process", "16", "2", {USER_OF_LIBRARY});
  live(bin_dir(), "process", "1", "1", {USER_OF_LIBRARY});
}

TEST_F(RuntimeUser, OfALibraryThatIsOpenedLocally) {
  live(bin_dir(), "in-process", "2", "2", {OPENER, PLUG_IN});
}

}  // namespace
}  // namespace unicni::test::user_test
