// Every example in the tree works as it is: config/examples and each module's example.conflist.
#include <algorithm>
#include <filesystem>

#include "integration/example.h"

namespace unicni::test::examples_test {
namespace {

namespace fs = std::filesystem;

/// Where the kernel may lack the kind of link; their examples are tests of tests/second-kernel.
bool needs_second_kernel(const fs::path& module) {
  constexpr std::string_view kKinds[] = {"dummy", "ipvlan", "vlan", "vrf"};
  return std::ranges::find(kKinds, module.filename().string()) != std::end(kKinds);
}

std::vector<fs::path> examples() {
  const fs::path root = UNICNI_SOURCE_DIR;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(root / "config/examples")) {
    if (entry.is_regular_file()) found.push_back(entry.path());
  }
  for (const auto& module : fs::directory_iterator(root / "modules")) {
    const fs::path example = module.path() / "example.conflist";
    if (fs::exists(example) && !needs_second_kernel(module)) found.push_back(example);
  }
  std::ranges::sort(found);
  return found;
}

std::string test_name(const testing::TestParamInfo<fs::path>& info) {
  std::string name =
      info.param.parent_path().filename().string() + '_' + info.param.stem().string();
  std::ranges::replace_if(
      name, [](char c) { return std::isalnum(c) == 0; }, '_');
  return name;
}

class Example : public ExampleTest, public testing::WithParamInterface<fs::path> {};

TEST_P(Example, IsAddedCheckedAndRemoved) { expect_works(GetParam()); }

INSTANTIATE_TEST_SUITE_P(All, Example, testing::ValuesIn(examples()), test_name);

TEST(Examples, AreWhereThisTestLooks) { EXPECT_GE(examples().size(), 6U); }

}  // namespace
}  // namespace unicni::test::examples_test
