#include "protocol/cache_folder.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "base/temp_folder_for_test.h"
#include "unicni/sys/file.h"

namespace unicni::protocol::cache_folder_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

CacheEntry entry_of(const AttachmentKey& key) {
  CacheEntry entry;
  entry.key = key;
  entry.config = "{}";
  entry.result = R"({"cniVersion":"1.0.0"})";
  return entry;
}

class Cache : public ::testing::Test {
 protected:
  void put(const std::string& name, const std::string& text) {
    sys::ensure_folder(results_, 0700);
    std::ofstream(results_ + "/" + name, std::ios::binary) << text;
  }
  std::vector<std::string> shown(const std::string& container_id = {}) {
    std::vector<std::string> shown;
    for (const CacheFile& file : folder_.list(container_id)) {
      shown.push_back(file.name + (file.content.problem ? " broken" : ""));
    }
    return shown;
  }
  mode_t mode(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 07777U;
  }

  TempFolder temp_;
  std::string cache_ = temp_ / "lib/cni";
  std::string results_ = cache_ + "/results";
  CacheFolder folder_{cache_};
};

TEST_F(Cache, ReadsWhatItWrote) {
  const AttachmentKey key{"n", "c", "eth0"};
  EXPECT_FALSE(folder_.read(key)) << "not even a folder";
  folder_.write(entry_of(key));
  const auto content = folder_.read(key);
  ASSERT_TRUE(content && content->entry);
  EXPECT_EQ(content->entry->key, key);
  EXPECT_EQ(content->entry->config, "{}");
  EXPECT_FALSE(folder_.read({"n", "c", "eth1"}));
}

TEST_F(Cache, IsWhereLibcniLooks) {
  folder_.write(entry_of({"n", "c", "eth0"}));
  EXPECT_EQ(sys::read_file(results_ + "/n-c-eth0"),
            print_cache_entry(entry_of({"n", "c", "eth0"})));
  EXPECT_EQ(mode(results_ + "/n-c-eth0"), 0600U);
  EXPECT_EQ(mode(results_), 0700U);
}

TEST_F(Cache, AnEntryIsReplacedWhole) {
  const AttachmentKey key{"n", "c", "eth0"};
  CacheEntry entry = entry_of(key);
  entry.netns = std::string(10000, 'x');
  folder_.write(entry);
  folder_.write(entry_of(key));
  EXPECT_EQ(folder_.read(key)->entry->netns, "");
  EXPECT_THAT(sys::list_folder(results_), ElementsAre("n-c-eth0")) << "no temporary file is left";
  CacheFolder(cache_, CacheFolder::Sync::yes).write(entry);
  EXPECT_EQ(folder_.read(key)->entry->netns, entry.netns);
}

TEST_F(Cache, ABrokenEntryIsAValue) {  // DEL-11
  const AttachmentKey key{"n", "c", "eth0"};
  put("n-c-eth0", "");
  auto content = folder_.read(key);
  ASSERT_TRUE(content && content->problem);
  EXPECT_EQ(content->problem->msg(), "n-c-eth0: it is empty");
  EXPECT_TRUE(folder_.remove(key));
  EXPECT_FALSE(folder_.read(key));
  put("n-c-eth0", std::string(kCacheEntryLimit + 1, ' '));
  EXPECT_TRUE(folder_.read(key)->problem);
  EXPECT_TRUE(folder_.read({"n", "c/../x", "eth0"})->problem);
}

TEST_F(Cache, AnotherAttachmentsEntryIsNotTaken) {
  folder_.write(entry_of({"a-b", "c", "e"}));
  const auto content = folder_.read({"a", "b-c", "e"});
  ASSERT_TRUE(content && content->problem);
  EXPECT_THAT(content->problem->msg(), HasSubstr("it is of network \"a-b\", container \"c\""));
}

TEST_F(Cache, TheKeyOfAnEntryIsTheAskedOneToTheByte) {
  const AttachmentKey key{"n", "c", "e\xFF\xFE"};
  folder_.write(entry_of(key));
  EXPECT_EQ(folder_.read(key)->entry->key, key);
  ASSERT_EQ(folder_.list().size(), 1U);
  EXPECT_EQ(folder_.list()[0].content.entry->key, key);
}

TEST_F(Cache, RemovingTellsWhetherItWasThere) {
  folder_.write(entry_of({"n", "c", "eth0"}));
  EXPECT_TRUE(folder_.remove({"n", "c", "eth0"}));
  EXPECT_FALSE(folder_.remove({"n", "c", "eth0"}));
  EXPECT_FALSE(folder_.remove({"", "c", "eth0"}));
  EXPECT_FALSE(folder_.remove({"n", "/c", "eth0"}));
}

TEST_F(Cache, IsListedByByteOrderWithItsBrokenFiles) {
  EXPECT_THAT(shown(), IsEmpty());
  folder_.write(entry_of({"n", "c10", "eth0"}));
  folder_.write(entry_of({"n", "c9", "eth0"}));
  folder_.write(entry_of({"n", "c9", "eth1"}));
  folder_.write(entry_of({"m", "c9", "eth0"}));
  put("m-c8-eth0", "");
  put("n-c8-eth0", R"({"cniVersion":"0.4.0"})");
  put(".n-c9-eth0.0123456789abcdef.tmp", print_cache_entry(entry_of({"n", "c9", "eth0"})));
  sys::ensure_folder(results_ + "/folder", 0700);
  EXPECT_THAT(shown(), ElementsAre("m-c8-eth0 broken", "m-c9-eth0", "n-c10-eth0", "n-c8-eth0",
                                   "n-c9-eth0", "n-c9-eth1"));
  EXPECT_THAT(shown("c9"), ElementsAre("m-c9-eth0", "n-c9-eth0", "n-c9-eth1"));
  EXPECT_THAT(shown("c8"), ElementsAre("m-c8-eth0 broken", "n-c8-eth0"));
  EXPECT_THAT(shown("c"), IsEmpty());
}

TEST_F(Cache, OfAContainerAreThoseThatNameIt) {
  folder_.write(entry_of({"a-b", "c", "e"}));
  folder_.write(entry_of({"a", "b", "c-e"}));
  EXPECT_THAT(shown("b"), ElementsAre("a-b-c-e"));
  EXPECT_THAT(shown("c"), IsEmpty()) << "the second has taken the first one's file";
}

TEST_F(Cache, AnEntryUnderAnothersNameIsAProblem) {
  put("x-c-eth0", print_cache_entry(entry_of({"n", "c", "eth0"})));
  put("nameless", R"({"kind":"cniCacheV1","config":"e30="})");
  put("\xC3\xA4-c-e",
      R"({"kind":"cniCacheV1","networkName":"\u00e4\u00e4\u00e4","containerId":"c","ifName":"e"})");
  EXPECT_THAT(shown(), ElementsAre("nameless broken", "x-c-eth0 broken", "\xC3\xA4-c-e broken"));
  EXPECT_TRUE(folder_.remove_file("x-c-eth0"));
  EXPECT_FALSE(folder_.remove_file("x-c-eth0"));
}

TEST_F(Cache, WhatCannotBeWrittenThrows) {
  CacheEntry entry = entry_of({"n", "c", "eth0"});
  entry.config = std::string(kCacheEntryLimit, 'x');
  EXPECT_THROW(folder_.write(entry), Error);
  EXPECT_THROW(folder_.write(entry_of({"n", "c", std::string(300, 'e')})), Error);
  EXPECT_NO_THROW(folder_.write(entry_of({std::string(160, 'n'), std::string(64, 'c'), "eth0a"})));
  sys::create_file(temp_ / "file", "", 0600);
  EXPECT_THROW(CacheFolder(temp_ / "file").write(entry_of({"n", "c", "eth0"})), Error);
}

TEST_F(Cache, LeftoversOfKilledWritersGoWhenTheyAreOld) {
  put(".n-c-eth0.0123456789abcdef.tmp", "{");
  folder_.write(entry_of({"n", "c", "eth0"}));
  EXPECT_EQ(folder_.remove_leftovers(std::chrono::hours(1)), 0U);
  EXPECT_EQ(folder_.remove_leftovers(std::chrono::seconds(0)), 1U);
  EXPECT_THAT(shown(), ElementsAre("n-c-eth0"));
}

}  // namespace
}  // namespace unicni::protocol::cache_folder_test
