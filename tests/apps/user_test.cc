// Lists through unicni/runtime.h, by a program of its own on a host of its own: nothing fails, and
// nothing of them stays.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "nothing_left.h"
#include "support/attachment.h"
#include "support/kernel_state.h"
#include "support/recorder.h"
#include "support/sample.h"
#include "support/sandbox.h"

namespace unicni::test::user_test {
namespace {

/// Rounds of six verbs each; with 16 threads 10,000 verbs where tools/test --full says so.
std::string many() { return is_full() ? "105" : "4"; }

class RuntimeUser : public ::testing::Test {
 protected:
  void live(const std::string& plugins, const std::string& isolation, const std::string& threads,
            const std::string& rounds, std::vector<std::string> argv = {USER},
            const std::vector<std::string>& habits = {}) {
    const Snapshot before = snapshot();
    for (const std::string& argument :
         {stage() + "/libexec/cni/unicni", plugins, stage() + "/lib/unicni/modules", isolation,
          threads, rounds}) {
      argv.push_back(argument);
    }
    argv.insert(argv.end(), habits.begin(), habits.end());
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

/// Each kind of program, with a plugin of another maker, that reads nothing unless it has to: its
/// runtime must not end by SIGPIPE.
class RuntimeUserThat : public RuntimeUser, public ::testing::WithParamInterface<std::string> {
 protected:
  void live_so(const std::string& habit) {
    std::filesystem::create_directory(kFolder);
    install_script(std::string(kFolder) + "/foreign", R"(#!/bin/sh
[ $CNI_COMMAND = ADD ] && exec jq -c .prevResult
exec <&-
[ $CNI_COMMAND = VERSION ] && echo '{"cniVersion": "1.1.0", "supportedVersions": ["1.1.0"]}'
exit 0
)");
    live(kFolder, GetParam(), "4", "2", {USER_OF_LIBRARY}, {habit, "--foreign"});
  }
  /// The programs that backend iptables needs are no children of the program either.
  void live_so_by_iptables(const std::string& habit) {
    // What iptables makes of its own accord, and leaves.
    tool({"iptables", "-P", "FORWARD", "ACCEPT"});
    for (const char* chain : {"PREROUTING", "POSTROUTING", "OUTPUT"})
      tool({"iptables", "-t", "nat", "-P", chain, "ACCEPT"});
    live(bin_dir(), GetParam(), "2", "2", {USER_OF_LIBRARY}, {habit, "--iptables"});
  }

 private:
  static constexpr const char* kFolder = "/var/lib/plugins";
};

TEST_P(RuntimeUserThat, IgnoresTheEndOfChildren) { live_so("--ignores-sigchld"); }

TEST_P(RuntimeUserThat, WaitsForAnyChild) { live_so("--waits-for-any"); }

TEST_P(RuntimeUserThat, IgnoresTheEndOfChildrenWithIptables) {
  live_so_by_iptables("--ignores-sigchld");
}

TEST_P(RuntimeUserThat, WaitsForAnyChildWithIptables) { live_so_by_iptables("--waits-for-any"); }

TEST_P(RuntimeUserThat, HasNoMainThreadAnyMore) { live_so("--main-ends"); }

TEST_P(RuntimeUserThat, HasTwoGibibytesOfMemory) { live_so("--is-large"); }

INSTANTIATE_TEST_SUITE_P(With, RuntimeUserThat, ::testing::Values("process", "in-process"),
                         [](const auto& isolation) {
                           return std::string(isolation.param == "process" ? "Processes"
                                                                           : "ModulesInTheProcess");
                         });

/// As a package manager does it: each file is another one from one moment to the next.
void replace_files(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && !entry.is_symlink()) files.push_back(entry.path());
  }
  for (const std::string& file : files) {
    std::filesystem::copy_file(file, file + ".new");
    std::filesystem::rename(file + ".new", file);
  }
}

class RuntimeUserDuring : public RuntimeUser, public ::testing::WithParamInterface<std::string> {};

TEST_P(RuntimeUserDuring, AnUpgradeSeesNothingOfIt) {
  const std::string prefix = "/var/lib/prefix";
  for (const char* part : {"/libexec/cni", "/lib/unicni"}) {
    std::filesystem::create_directories(std::filesystem::path(prefix + part).parent_path());
    std::filesystem::copy(
        stage() + part, prefix + part,
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  }
  std::atomic<bool> ends = false;
  int upgrades = 0;
  std::thread packager([&] {
    for (; !ends; ++upgrades) replace_files(prefix);
  });
  const Output output = run({.argv = {USER, "", prefix + "/libexec/cni", "", GetParam(), "4", "8"},
                             .env = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"},
                             .limit = std::chrono::seconds(110)});
  ends = true;
  packager.join();
  EXPECT_TRUE(output.ok()) << output.str();
  EXPECT_GE(upgrades, 3);
}

INSTANTIATE_TEST_SUITE_P(With, RuntimeUserDuring, ::testing::Values("process", "in-process"),
                         [](const auto& isolation) {
                           return std::string(isolation.param == "process" ? "Processes"
                                                                           : "ModulesInTheProcess");
                         });

}  // namespace
}  // namespace unicni::test::user_test
