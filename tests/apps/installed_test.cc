// What is installed serves programs that are built elsewhere: the example in
// config/examples/runtime, by CMake and by pkg-config, on a host of its own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "nothing_left.h"
#include "support/attachment.h"
#include "support/kernel_state.h"
#include "support/sandbox.h"

namespace unicni::test::installed_test {
namespace {

using ::testing::HasSubstr;

namespace fs = std::filesystem;

class InstalledLibrary : public ::testing::Test {
 protected:
  void SetUp() override { fs::create_directory(folder_); }

  static Output must_run(std::vector<std::string> argv, std::vector<std::string> env = {}) {
    env.insert(env.end(), {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"});
    const Output output =
        run({.argv = std::move(argv), .env = std::move(env), .limit = std::chrono::seconds(100)});
    EXPECT_TRUE(output.ok()) << output.str();
    return output;
  }

  void expect_attaches(const std::string& program, std::vector<std::string> env = {}) {
    write_file(folder_ + "/10-mynet.conflist", R"({"cniVersion": "1.1.0", "name": "mynet",
      "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true,
        "ipam": {"type": "host-local", "subnet": "10.22.0.0/16"}}, {"type": "firewall"}]})");
    const Snapshot before = snapshot();
    const Container container("c1");
    env.push_back("NETCONFPATH=" + folder_);
    const Output output = must_run({program, "mynet", container.path()}, env);
    const Json result = Json::parse(output.out, nullptr, false);
    ASSERT_TRUE(result.is_object()) << output.str();
    EXPECT_EQ(result["cniVersion"], "1.1.0");
    EXPECT_EQ(result["ips"][0]["address"], "10.22.0.2/16");
    EXPECT_EQ(output.err, "");
    expect_nothing_left(before);

    const Output unknown = run({.argv = {program, "other", container.path()}, .env = env});
    EXPECT_EQ(unknown.status, 1) << unknown.str();
    EXPECT_THAT(unknown.err, HasSubstr("mynet"));
  }

  Sandbox sandbox_;
  const std::string folder_ = "/run/installed";
  const std::string source_ = std::string(UNICNI_SOURCE_DIR) + "/config/examples/runtime";
};

TEST_F(InstalledLibrary, IsFoundByCMake) {
  must_run({CMAKE, "-S", source_, "-B", folder_, "-D", "CMAKE_PREFIX_PATH=" + stage(), "-D",
            "CMAKE_CXX_COMPILER=" + std::string(CXX)});
  must_run({CMAKE, "--build", folder_});
  expect_attaches(folder_ + "/attach");
}

TEST_F(InstalledLibrary, IsFoundByPkgConfig) {
  const Output flags = must_run({"pkg-config", "--cflags", "--libs", "unicni"},
                                {"PKG_CONFIG_PATH=" + stage() + "/lib/pkgconfig"});
  std::vector<std::string> compile{CXX, "-std=c++20", source_ + "/attach.cc", "-o",
                                   folder_ + "/attach"};
  std::istringstream words(flags.out);
  for (std::string word; words >> word;) compile.push_back(word);
  must_run(compile);
  expect_attaches(folder_ + "/attach", {"LD_LIBRARY_PATH=" + stage() + "/lib"});
}

TEST_F(InstalledLibrary, ExampleIsShort) {
  const std::string text = read_file(source_ + "/attach.cc");
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 60);
}

}  // namespace
}  // namespace unicni::test::installed_test
