// Where the dynamic loader would find a library.
#include "module/library_path.h"

#include <gmock/gmock.h>

#include <cstdint>
#include <cstring>
#include <random>

namespace unicni::module::library_path_test {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::IsEmpty;

template <class T>
void put(std::string& out, T number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  out.append(bytes, sizeof bytes);
}

/// As ldconfig(8) writes it: header, entries, strings.
std::string cache_of(const std::vector<std::pair<std::string, std::string>>& libraries) {
  std::string strings;
  std::string entries;
  const auto start = 48 + 24 * libraries.size();
  for (const auto& [name, path] : libraries) {
    put<std::int32_t>(entries, 0x0303);
    put(entries, static_cast<std::uint32_t>(start + strings.size()));
    strings += name + '\0';
    put(entries, static_cast<std::uint32_t>(start + strings.size()));
    strings += path + '\0';
    put<std::uint32_t>(entries, 0);
    put<std::uint64_t>(entries, 0);
  }
  std::string cache = "glibc-ld.so.cache1.1";
  put(cache, static_cast<std::uint32_t>(libraries.size()));
  put(cache, static_cast<std::uint32_t>(strings.size()));
  cache.append(20, '\0');
  return cache + entries + strings;
}

const std::string kCache = cache_of({{"libz.so.1", "/lib/a/libz.so.1"},
                                     {"libyaml-cpp.so.0.7", "/usr/local/lib/libyaml-cpp.so.0.7"},
                                     {"libz.so.1", "/lib/b/libz.so.1"}});

TEST(LibraryPathTest, TheCacheIsRead) {
  EXPECT_THAT(find_in_cache(kCache, "libyaml-cpp.so.0.7"),
              ElementsAre("/usr/local/lib/libyaml-cpp.so.0.7"));
  EXPECT_THAT(find_in_cache(kCache, "libz.so.1"),
              ElementsAre("/lib/a/libz.so.1", "/lib/b/libz.so.1"));
  EXPECT_THAT(find_in_cache(kCache, "libz.so"), IsEmpty());
  EXPECT_THAT(find_in_cache("", "libz.so"), IsEmpty());
}

TEST(LibraryPathTest, TheFormBeforeItIsPassedOver) {
  EXPECT_THAT(find_in_cache("ld.so-1.7.0" + std::string(37, '\1') + kCache, "libyaml-cpp.so.0.7"),
              ElementsAre("/usr/local/lib/libyaml-cpp.so.0.7"));
}

TEST(LibraryPathTest, ADamagedCacheIsReadAsFarAsItMakesSense) {
  for (std::size_t size = 0; size < kCache.size(); ++size) {
    (void)find_in_cache(kCache.substr(0, size), "libz.so.1");
  }
  std::mt19937 random(4711);
  for (int round = 0; round < 4000; ++round) {
    auto bytes = kCache;
    for (int flips = 0; flips < 4; ++flips) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    (void)find_in_cache(bytes, "libz.so.1");
  }
}

TEST(LibraryPathTest, AnInstalledLibraryIsFound) {
  const auto found = find_library("libc.so.6", "");
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, EndsWith("/libc.so.6"));
  EXPECT_EQ(find_library(*found, ""), found);
  EXPECT_EQ(find_library("libof-the-future.so.1", "/nonexistent::relative:/"), std::nullopt);
  EXPECT_EQ(find_library("./libc.so.6", ""), std::nullopt);
}

TEST(LibraryPathTest, OriginIsTheFilesFolder) {
  EXPECT_EQ(expand_origin("$ORIGIN:${ORIGIN}/../x:/y", "/a/b/m.so"), "/a/b:/a/b/../x:/y");
  EXPECT_EQ(expand_origin("$ORIGIN/$ORIGIN", "/$ORIGIN/m.so"), "/$ORIGIN//$ORIGIN");
  EXPECT_EQ(expand_origin("", "/a/m.so"), "");
}

}  // namespace
}  // namespace unicni::module::library_path_test
