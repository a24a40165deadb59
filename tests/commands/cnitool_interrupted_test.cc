// cnitool that is interrupted while a plugin is at work.
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "cnitool.h"
#include "support/kernel_state.h"
#include "support/recorder.h"

namespace unicni::test::cnitool_interrupted_test {
namespace {

using ::testing::IsEmpty;

class CnitoolInterrupted : public CnitoolTest, public ::testing::WithParamInterface<std::string> {
 protected:
  CnitoolInterrupted() {
    std::filesystem::create_directory("/run/plugins");
    install_script("/run/plugins/slow", R"(#!/bin/sh
cat > /dev/null
[ $CNI_COMMAND = ADD ] || exit 0
echo $$ > /run/slow.tmp
mv /run/slow.tmp /run/slow
exec sleep 1000
)");
    Json config = list();
    config["plugins"][1] = {{"type", "slow"}};
    put("10-mynet.conflist", config);
  }
  static std::vector<std::string> path() { return {"CNI_PATH=" + bin_dir() + ":/run/plugins"}; }
  /// A descriptor of the plugin's process, once its ADD is at work.
  static int wait_for_plugin() {
    for (int i = 0; i < 10'000 && !std::filesystem::exists("/run/slow"); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return static_cast<int>(::syscall(SYS_pidfd_open, std::stoi(read_file("/run/slow")), 0));
  }
  static bool ends(int process) {
    pollfd ended{process, POLLIN, 0};
    return ::poll(&ended, 1, 10'000) == 1;
  }
  Container blue_{"blue"};
};

TEST_P(CnitoolInterrupted, EndsThePluginAndSaysWhatRemovesTheRest) {
  const bool is_int = GetParam() == "INT";
  const pid_t sender = ::fork();
  if (sender == 0) {
    const int plugin = wait_for_plugin();
    ::kill(std::stoi(read_file("/run/cnitool")), is_int ? SIGINT : SIGTERM);
    ::_exit(ends(plugin) ? 0 : 1);
  }
  std::vector<std::string> env = path();
  env.emplace_back(std::string("NETCONFPATH=") + kNetworks);
  env.emplace_back("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  const Output output = run({.argv = {"/bin/sh", "-c",
                                      "echo $$ > /run/cnitool; exec " + stage() +
                                          "/bin/cnitool add mynet " + blue_.path()},
                             .env = env});
  int status = -1;
  ::waitpid(sender, &status, 0);
  EXPECT_EQ(status, 0) << "the plugin goes on";
  EXPECT_EQ(output.status, is_int ? 130 : 143) << output.str();
  EXPECT_EQ(output.out, "");
  EXPECT_EQ(output.err,
            "cnitool: interrupted: what was done of ADD to network mynet is still there; `cnitool "
            "del mynet " +
                blue_.path() + "` removes it\n");
  EXPECT_EQ(cnitool({"del", "mynet", blue_.path()}, path()).status, 0);
  EXPECT_THAT(link_names(blue_.fd()), IsEmpty());
  EXPECT_THAT(reservations("mynet"), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(By, CnitoolInterrupted, ::testing::Values("INT", "TERM"),
                         [](const auto& signal) { return signal.param; });

}  // namespace
}  // namespace unicni::test::cnitool_interrupted_test
