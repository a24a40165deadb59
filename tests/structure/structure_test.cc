// The laws of the source tree, held against the tree itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>

#include "rules.h"

namespace unicni::structure::structure_test {
namespace {

class Structure : public testing::Test {
 protected:
  static void SetUpTestSuite() { files_ = new Files(read_tree(UNICNI_SOURCE_DIR)); }
  static void TearDownTestSuite() { delete files_; }
  static const Files& files() { return *files_; }
  static LayerTable table() {
    for (const SourceFile& file : files()) {
      if (file.path != "core/layers.txt") continue;
      std::string text;
      for (const std::string& line : file.lines) text += line + '\n';
      return LayerTable(text);
    }
    throw std::runtime_error("there is no core/layers.txt");
  }

  static void expect_none(const Findings& found) {
    for (const std::string& text : found) ADD_FAILURE() << text;
  }

 private:
  static inline const Files* files_ = nullptr;
};

// A rule that reads nothing would always hold.
TEST_F(Structure, TheTreeIsRead) {
  const auto has = [](const char* path) {
    return std::any_of(files().begin(), files().end(),
                       [&](const SourceFile& file) { return file.path == path; });
  };
  EXPECT_TRUE(has("CMakeLists.txt"));
  EXPECT_TRUE(has("core/include/unicni/module.h"));
  EXPECT_TRUE(has("core/src/module/registry.h"));
  EXPECT_FALSE(has(".git/HEAD"));
}

TEST_F(Structure, EveryRowOfTheTableIsAUnit) {
  for (const std::string& unit : table().units()) {
    const auto is_there = [&](const SourceFile& file) { return file.is_below("core/src/" + unit); };
    EXPECT_TRUE(std::any_of(files().begin(), files().end(), is_there)) << unit;
  }
}
TEST_F(Structure, OwnHeadersAreQuoted) { expect_none(quoted_headers(files())); }
TEST_F(Structure, ToolsAreQuoted) { expect_none(quoted_tools(files())); }
TEST_F(Structure, CoreLayersPointDown) { expect_none(core_layers(files(), table())); }
TEST_F(Structure, ModulesSeeOnlyPublicHeaders) { expect_none(module_borders(files(), table())); }
TEST_F(Structure, ApplicationsStandOnCoreAndAreIncludedByNobody) {
  expect_none(application_borders(files(), table()));
}
TEST_F(Structure, LibrariesStayInTheirPlaces) { expect_none(library_borders(files())); }
TEST_F(Structure, NoShellAndNoStraySocket) { expect_none(forbidden_calls(files())); }
TEST_F(Structure, CoreEndsNoProcess) { expect_none(ended_processes(files())); }
TEST_F(Structure, MessagesAreWrittenWhereTheirRoomIsKnown) {
  expect_none(unchecked_attributes(files()));
}
TEST_F(Structure, EachTestFileHasItsNamespace) { expect_none(test_namespaces(files())); }
TEST_F(Structure, FilesAreSmall) { expect_none(file_sizes(files())); }
TEST_F(Structure, CoreIsCommented) { expect_none(comment_share(files())); }
TEST_F(Structure, FilesAreNamedByTheirNoun) { expect_none(file_names(files())); }
TEST_F(Structure, ModuleFoldersAreComplete) { expect_none(module_folders(files())); }
TEST_F(Structure, DecisionsAreShortAndInTheIndex) { expect_none(decisions(files())); }
TEST_F(Structure, NothingUnfinishedOrLocal) { expect_none(leftovers(files())); }

}  // namespace
}  // namespace unicni::structure::structure_test
