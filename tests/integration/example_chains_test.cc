// The chains and policies of config/examples, as they are: a chain attaches a container by its
// wrapper, and the linter finds nothing in any of them.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "integration/host_test.h"

namespace unicni::test::example_chains_test {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

std::vector<fs::path> examples(const char* folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(fs::path(UNICNI_SOURCE_DIR) / folder)) {
    found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

std::string test_name(const testing::TestParamInfo<fs::path>& info) {
  std::string name = info.param.stem();
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string unictl() { return stage() + "/bin/unictl"; }

class ExampleChain : public HostTest, public testing::WithParamInterface<fs::path> {
 protected:
  ExampleChain() {
    Sandbox::keep_etc();
    tool({"mkdir", "-p", "/etc/unicni/chains", "/run/flannel"});
    write_file("/run/flannel/subnet.env",
               "FLANNEL_NETWORK=10.1.0.0/16\nFLANNEL_SUBNET=10.1.17.1/24\nFLANNEL_MTU=1450\n"
               "FLANNEL_IPMASQ=true\n");
    tool({"ip", "link", "add", "eth1", "type", "veth", "peer", "name", "far"});
    tool({"ip", "link", "set", "eth1", "up"});
  }
};

/// The kernel here may lack VLANs: there this case runs on the second kernel (tests/second-kernel).
bool lacks_kind(const std::string& name) {
  if (name != "vlan-trunk") return false;
  const bool has =
      succeeds({"ip", "link", "add", "link", "eth1", "name", "try", "type", "vlan", "id", "7"});
  if (has) tool({"ip", "link", "del", "try"});
  return !has;
}

TEST_P(ExampleChain, IsAddedCheckedAndRemoved) {
  const std::string name = GetParam().stem();
  write_file("/etc/unicni/chains/" + name + ".yaml", text_of(GetParam()));
  EXPECT_EQ(tool({unictl(), "lint", "/etc/unicni/chains/" + name + ".yaml"}).out, "");
  const Json explained = tool_json({unictl(), "explain", name, "--json"});
  EXPECT_GE(explained["members"].size(), 1U);
  const Json rendered = tool_json({unictl(), "render", "--wrapper", name});
  Json config = rendered["plugins"][0];
  EXPECT_EQ(config["chain"], name);
  config["name"] = rendered["name"];
  config["cniVersion"] = rendered["cniVersion"];
  const Json whole = tool_json({unictl(), "render", name});
  EXPECT_EQ(whole["name"], name);
  if (lacks_kind(name)) return;
  const Attachment job = attachment(config);
  const Json result = must_add(job);
  ASSERT_FALSE(result.is_null());
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_silent_success(job.del(result));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, ExampleChain, testing::ValuesIn(examples("config/examples/chains")),
                         test_name);

TEST(ExampleChains, AreAtLeastEight) { EXPECT_GE(examples("config/examples/chains").size(), 8U); }

class ExamplePolicy : public HostTest, public testing::WithParamInterface<fs::path> {
 protected:
  ExamplePolicy() {
    Sandbox::keep_etc();
    tool({"mkdir", "-p", "/etc/unicni/policy.d"});
    write_file("/etc/unicni/policy.d/example.yaml", text_of(GetParam()));
  }
};

TEST_P(ExamplePolicy, IsCleanAndHoldsForAnAdd) {
  EXPECT_EQ(tool({unictl(), "lint", "/etc/unicni/policy.d/example.yaml"}).out, "");
  Json bridge = mynet();
  bridge.erase("cniVersion");
  bridge.erase("name");
  const Json list = {
      {"cniVersion", "1.1.0"}, {"name", "mynet"}, {"type", "unicni"}, {"plugins", {bridge}}};
  Attachment job = attachment(list);
  job.env["CNI_ARGS"] = "IgnoreUnknown=1;K8S_POD_NAMESPACE=tenant-a";
  const Json result = must_add(job);
  ASSERT_FALSE(result.is_null());
  expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  EXPECT_THAT(files_in(kJournals), IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(All, ExamplePolicy,
                         testing::ValuesIn(examples("config/examples/policies")), test_name);

}  // namespace
}  // namespace unicni::test::example_chains_test
