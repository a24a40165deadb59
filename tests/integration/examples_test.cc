// Every example in the tree works as it is: config/examples and each module's example.conflist.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "integration/host_test.h"

namespace unicni::test {
namespace {

namespace fs = std::filesystem;

/// Where the kernel may lack the kind of link; their examples are tests of tests/second-kernel.
bool needs_second_kernel(const fs::path& module) { return module.filename() == "vrf"; }

std::vector<fs::path> examples() {
  const fs::path root = UNICNI_SOURCE_DIR;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(root / "config/examples")) {
    found.push_back(entry.path());
  }
  for (const auto& module : fs::directory_iterator(root / "modules")) {
    const fs::path example = module.path() / "example.conflist";
    if (fs::exists(example) && !needs_second_kernel(module)) found.push_back(example);
  }
  std::ranges::sort(found);
  return found;
}

/// A list as a runtime's file has it is what the type "unicni" carries.
Json config_of(const fs::path& path) {
  std::ifstream file(path);
  Json config = Json::parse(file);
  if (config.contains("plugins")) config["type"] = "unicni";
  return config;
}

std::string test_name(const testing::TestParamInfo<fs::path>& info) {
  std::string name =
      info.param.parent_path().filename().string() + '_' + info.param.stem().string();
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class Example : public HostTest, public testing::WithParamInterface<fs::path> {};

TEST_P(Example, IsAddedCheckedAndRemoved) {
  const Attachment job = attachment(config_of(GetParam()));
  const Snapshot before = snapshot();
  const Json result = must_add(job);
  ASSERT_FALSE(result.is_null());
  EXPECT_EQ(result["cniVersion"], job.config["cniVersion"]);
  if (job.config["cniVersion"] >= "0.4.0") expect_silent_success(job.check(result));
  expect_silent_success(job.del(result));
  expect_silent_success(job.del(result));
  // A bridge stays, with its addresses.
  Snapshot start = before;
  Snapshot end = snapshot();
  for (const Json& plugin : job.config.value("plugins", Json::array({job.config}))) {
    const std::string bridge = plugin.value("bridge", "cni0");
    start = without_link(start, bridge);
    end = without_link(end, bridge);
  }
  EXPECT_EQ(difference(start, end), "");
}

INSTANTIATE_TEST_SUITE_P(All, Example, testing::ValuesIn(examples()), test_name);

TEST(Examples, AreWhereThisTestLooks) { EXPECT_GE(examples().size(), 6U); }

}  // namespace
}  // namespace unicni::test
