// What waits for the kernel behind a deletion (exec/forked_children.h), seen from whoever called
// the plugin.
#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "integration/host_test.h"

namespace unicni::test::background_child_test {
namespace {

using std::chrono::milliseconds;
using ::testing::IsEmpty;

constexpr milliseconds kGrace{600};  // three times as long as a child may stay

class BackgroundChild : public HostTest {
 protected:
  static Json list() {
    Json config = {{"cniVersion", "1.0.0"}, {"name", "mynet"}, {"type", "unicni"}};
    config["plugins"] = {mynet(), {{"type", "firewall"}}, {{"type", "bandwidth"}}};
    config["plugins"][2].merge_patch({{"ingressRate", 1000000}, {"ingressBurst", 1000000}});
    return config;
  }

  /// Children of this process that have ended or not, but weren't waited for.
  static std::vector<pid_t> children() {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const std::string status = read_file(entry.path() / "status");
      const auto at = status.find("\nPPid:\t");
      if (at != std::string::npos && std::stoi(status.substr(at + 7)) == ::getpid()) {
        found.push_back(std::stoi(name));
      }
    }
    return found;
  }

  static void catch_all() {
    for (const int number : {SIGCHLD, SIGURG, SIGWINCH, SIGIO}) ::signal(number, [](int) {});
  }

  /// Several DELs of a list and of a single plugin, called by `call`.
  void del_some(const std::function<Output(const Spawn&)>& call) {
    for (int i = 0; i < 3; ++i) {
      Json config = i == 0 ? mynet_1_0() : list();
      const Attachment job = attachment(config, "c" + std::to_string(i));
      must_add(job);
      const Output output = call(job.spawn("DEL", job.config));
      EXPECT_TRUE(output.ok()) << output.str();
      EXPECT_THAT(link_names(netns(job)), IsEmpty());
    }
  }
};

TEST_F(BackgroundChild, UnderASubreaperThatReapsNobodyElseNoneIsLeft) {
  in_child([&] {
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    del_some([](const Spawn& spawn) { return run(spawn); });
    EXPECT_THAT(children(), IsEmpty()) << "at the end of the verb";
    std::this_thread::sleep_for(kGrace);
    EXPECT_THAT(children(), IsEmpty());
  });
}

TEST_F(BackgroundChild, UnderAShellOfSuchASubreaperNoneIsLeft) {
  in_child([&] {
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    del_some([](Spawn spawn) {
      spawn.argv = {"bash", "-c", "\"$0\"; exit $?", spawn.argv[0]};
      return run(spawn);
    });
    std::this_thread::sleep_for(kGrace);
    EXPECT_THAT(children(), IsEmpty());
  });
}

TEST_F(BackgroundChild, UnderInitThatCallsPluginsItselfNoneIsLeft) {
  in_child([&] {
    ASSERT_EQ(::unshare(CLONE_NEWPID), 0);
    in_child([&] {  // process 1; a /proc that it can read
      ASSERT_EQ(::getpid(), 1);
      tool({"mount", "-t", "proc", "proc", "/proc"});
      catch_all();  // as a runtime that is the only program of its container
      del_some([](const Spawn& spawn) { return run(spawn); });
      std::this_thread::sleep_for(kGrace);
      EXPECT_THAT(children(), IsEmpty());
      tool({"umount", "/proc"});
    });
  });
}

TEST_F(BackgroundChild, OfARuntimeIsLeftToInitWithoutAHoldOnAnything) {
  in_child([&] {
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    catch_all();
    const Attachment job = attachment(list());
    must_add(job);
    std::filesystem::create_directory("/run/here");
    tool({"mount", "-t", "tmpfs", "tmpfs", "/run/here"});
    Spawn spawn = job.spawn("DEL", job.config);
    spawn.argv = {"/usr/bin/env", "-C", "/run/here", spawn.argv[0]};
    const Output output = run(spawn);
    EXPECT_TRUE(output.ok()) << output.str();
    const auto left = children();
    EXPECT_FALSE(left.empty()) << "one holds the socket of nftables";
    for (const pid_t child : left) {
      const std::string folder = "/proc/" + std::to_string(child);
      std::error_code gone;
      const auto cwd = std::filesystem::read_symlink(folder + "/cwd", gone);
      EXPECT_EQ(gone ? "/" : cwd.string(), "/");
    }
    tool({"umount", "/run/here"});
    std::this_thread::sleep_for(kGrace);
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    EXPECT_THAT(children(), IsEmpty()) << "all have ended, so init can reap them";
  });
}

}  // namespace
}  // namespace unicni::test::background_child_test
