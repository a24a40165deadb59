// What unictl new-module writes is built against the installed package, beside unicni's own
// modules, and serves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "sdk/author.h"

namespace unicni::test::new_module_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class NewModule : public ::testing::Test {
 protected:
  static constexpr const char* kProject = "/run/project";

  /// Writes, builds and installs a module of that kind called "wake-on-lan".
  void make(const std::string& kind) {
    const Output written =
        unictl({"new-module", "wake-on-lan", "--kind", kind, "--out-of-tree", kProject});
    ASSERT_EQ(written.status, 0) << written.str();
    build_ = author_.build(kProject);
    author_.link();
    EXPECT_TRUE(exists(author_.profile("wake-on-lan")));
    EXPECT_THAT(run({.argv = {author_.bin() + "/wake-on-lan"}, .env = {"CNI_COMMAND=VERSION"}}).out,
                HasSubstr("\"1.1.0\""));
  }
  /// The test that comes with the project.
  void conforms() const { tool({"ctest", "--test-dir", build_, "--output-on-failure"}); }

  Sandbox sandbox_;
  Author author_;
  std::string build_;
};

TEST_F(NewModule, AnInterfaceModuleConnectsAContainer) {
  make("interface");
  const Container container("c1");
  const Attachment job = author_.attachment(container, R"({"cniVersion": "1.0.0", "name": "net",
      "type": "wake-on-lan", "mtu": 1400,
      "ipam": {"type": "host-local", "subnet": "10.88.0.0/24"}})");
  const Json result = must_add(job);
  EXPECT_EQ(result["ips"][0]["address"], "10.88.0.2/24");
  const Json link = container.json({"ip", "-j", "link", "show", "eth0"})[0];
  EXPECT_EQ(link["mtu"], 1400);
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_FALSE(container.succeeds({"ip", "link", "show", "eth0"}));
  conforms();
}

TEST_F(NewModule, AChainedModuleChangesTheInterfaceAndPutsItBack) {
  make("chained");
  const Container container("c1");
  container.run({"ip", "link", "add", "eth0", "type", "veth", "peer", "name", "other"});
  const auto queue_length = [&] {
    return container.json({"ip", "-j", "link", "show", "eth0"})[0]["txqlen"].get<int>();
  };
  const int before = queue_length();
  const Attachment job = author_.attachment(container, R"({"cniVersion": "1.0.0", "name": "net",
      "type": "wake-on-lan", "queueLength": 77,
      "prevResult": {"cniVersion": "1.0.0", "interfaces": [{"name": "eth0"}]}})");
  const Json result = must_add(job);
  EXPECT_EQ(queue_length(), 77);
  expect_silent_success(job.check(result));
  container.run({"ip", "link", "set", "eth0", "txqueuelen", "78"});
  EXPECT_THAT(expect_error(job.check(result))["msg"].get<std::string>(),
              HasSubstr("another transmit queue length"));
  expect_silent_success(job.del(result));
  EXPECT_EQ(queue_length(), before);
  conforms();
}

TEST_F(NewModule, AnIpamModuleIsADelegateOfBridge) {
  make("ipam");
  const Container container("c1");
  const Attachment job = author_.attachment(container, R"({"cniVersion": "1.0.0", "name": "net",
      "type": "bridge", "bridge": "br-author",
      "ipam": {"type": "wake-on-lan", "address": "10.89.0.7/24"}})");
  const Json result = must_add(job);
  EXPECT_EQ(result["ips"][0]["address"], "10.89.0.7/24");
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  conforms();
}

TEST_F(NewModule, AFolderThatIsNotEmptyIsRefused) {
  fs::create_directory(kProject);
  write_file(std::string(kProject) + "/precious", "mine");
  const Output output = unictl({"new-module", "wake-on-lan", "--out-of-tree", kProject});
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.err, HasSubstr("/run/project is there and not empty"));
  EXPECT_EQ(std::distance(fs::directory_iterator(kProject), fs::directory_iterator()), 1);
  fs::remove(std::string(kProject) + "/precious");
  EXPECT_EQ(unictl({"new-module", "wake-on-lan", "--out-of-tree", kProject}).status, 0)
      << "an empty one may be there";
}

TEST_F(NewModule, NamesThatNoModuleCanHaveAreRefused) {
  for (const char* name : {"Bridge", "9p", "a_b", "../x", "a b", "-a"}) {
    const Output output = unictl({"new-module", "--out-of-tree", kProject, "--", name});
    EXPECT_EQ(output.status, 1) << name << output.str();
    EXPECT_FALSE(exists(kProject)) << name;
  }
}

}  // namespace
}  // namespace unicni::test::new_module_test
