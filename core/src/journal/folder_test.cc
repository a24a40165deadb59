#include "journal/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "base/temp_folder_for_test.h"
#include "journal/entry.h"
#include "unicni/sys/file.h"

namespace unicni::journal::folder_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

TEST(FileName, IsReadable) { EXPECT_EQ(file_name({"net", "ctr-1", "eth0"}), "net:ctr-1:eth0"); }

TEST(FileName, DifferentKeysNeverCollide) {
  const std::string long_name(300, 'n');
  const std::vector<AttachmentKey> keys = {
      {"a-b", "c", "e"},          {"a", "b-c", "e"},     {"a:b", "c", "e"},
      {"a", "b:c", "e"},          {"a%3Ab", "c", "e"},   {"a", "b", "c:e"},
      {"a/b", "c", "e"},          {"a", "b", "../e"},    {"", "", ""},
      {".a", "b", "e"},           {long_name, "c", "e"}, {long_name, "c", "f"},
      {long_name + "x", "c", "e"}};
  std::set<std::string> names;
  for (const AttachmentKey& key : keys) {
    const std::string name = file_name(key);
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(name.find('/'), name.npos);
    EXPECT_NE(name.front(), '.');
    EXPECT_LE(name.size(), 200U);
  }
}

TEST(FileName, BytesThatAreNoUtf8Fit) {
  const TempFolder folder;
  const AttachmentKey key{"net", "ctr", "e\xff\xfe\x80"};
  ASSERT_TRUE(sys::create_file(folder / file_name(key), header_line({key, {}, "", "", {}}), 0600));
  EXPECT_THAT(list_keys(folder.path(), "net"), ElementsAre(key));
}

TEST(ListKeys, OnlyOfThatNetworkAndCheckedAgainstTheHeader) {
  const TempFolder folder;
  const std::string long_name(300, 'n');
  const auto make = [&](const AttachmentKey& key, const std::string& name) {
    sys::create_file(folder / name, header_line({key, {}, "", "", {}}), 0600);
  };
  const std::vector<AttachmentKey> mine = {
      {"net", "a", "eth0"}, {"net", "b", "eth0"}, {"net", "b", "eth1"}};
  for (const AttachmentKey& key : mine) make(key, file_name(key));
  for (const AttachmentKey& key :
       {AttachmentKey{"net2", "a", "eth0"}, AttachmentKey{"ne", "t:a", "eth0"},
        AttachmentKey{long_name, "a", "eth0"}, AttachmentKey{long_name + "x", "a", "eth0"}}) {
    make(key, file_name(key));
  }
  make({"net", "real", "eth0"}, "net:false:eth0");
  sys::create_file(folder / "net:torn:eth0", "unicni-journal version=1", 0600);
  sys::create_file(folder / "net:empty:eth0", "", 0600);
  std::filesystem::create_directory(folder / "net:folder:eth0");
  EXPECT_THAT(list_keys(folder.path(), "net"), UnorderedElementsAre(mine[0], mine[1], mine[2]));
  EXPECT_THAT(list_keys(folder.path(), long_name),
              ElementsAre(AttachmentKey{long_name, "a", "eth0"}));
  EXPECT_THAT(list_keys(folder.path(), "none"), IsEmpty());
}

TEST(ListSiblings, AreTheOtherInterfacesOfTheContainer) {
  const TempFolder folder;
  const std::string long_name(300, 'c');
  for (const AttachmentKey& key :
       {AttachmentKey{"net", "a", "eth0"}, AttachmentKey{"net", "a", "net1"},
        AttachmentKey{"net", "ab", "eth0"}, AttachmentKey{"other", "a", "net2"},
        AttachmentKey{"net", long_name, "eth0"}, AttachmentKey{"net", long_name, "net1"}}) {
    sys::create_file(folder / file_name(key), header_line({key, {}, "", "", {}}), 0600);
  }
  EXPECT_THAT(list_siblings(folder.path(), {"net", "a", "eth0"}),
              ElementsAre(AttachmentKey{"net", "a", "net1"}));
  EXPECT_THAT(list_siblings(folder.path(), {"net", "ab", "eth0"}), IsEmpty());
  EXPECT_THAT(list_siblings(folder.path(), {"net", long_name, "net1"}),
              ElementsAre(AttachmentKey{"net", long_name, "eth0"}));
}

TEST(ListKeys, FolderThatIsNoneIsEmpty) {
  const TempFolder folder;
  sys::create_file(folder / "file", "", 0600);
  EXPECT_THAT(list_keys(folder / "none", "net"), IsEmpty());
  EXPECT_THAT(list_keys(folder / "file", "net"), IsEmpty());
}

}  // namespace
}  // namespace unicni::journal::folder_test
