#include "unicni/ipam/store.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utime.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <map>
#include <string>

#include "base/ip_for_test.h"
#include "base/temp_folder_for_test.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::ipam::store_test {
namespace {

using std::string;

Deadline in_seconds(int n) { return std::chrono::steady_clock::now() + std::chrono::seconds(n); }
void unannounced(const IpAddress&, const string&) {}

const Attachment kOwner{"dummy", "eth0"};
constexpr int kYear = 365 * 24 * 3600;  // longer than this boot, we trust

class StoreTest : public ::testing::Test {
 protected:
  [[nodiscard]] string data_dir() const { return folder_ / "networks"; }
  [[nodiscard]] string path(const string& name) const { return data_dir() + "/net/" + name; }
  [[nodiscard]] Store open(bool create = true) const {
    return {data_dir(), "net", in_seconds(20), create};
  }
  void put(const string& name, const string& content) const {
    sys::ensure_folder(data_dir() + "/net", 0755);
    sys::write_file_atomically(path(name), content, 0600);
  }
  [[nodiscard]] string get(const string& name) const {
    return sys::read_file(path(name)).value_or("(absent)");
  }
  [[nodiscard]] mode_t mode(const string& name) const {
    struct stat status {};
    EXPECT_EQ(::stat(path(name).c_str(), &status), 0) << name;
    return status.st_mode & 07777U;
  }
  [[nodiscard]] std::vector<string> names() const {
    std::vector<string> result;
    for (const string& name : sys::list_folder(data_dir() + "/net")) {
      if (IpAddress::parse(name)) result.push_back(name);
    }
    std::sort(result.begin(), result.end());
    return result;
  }
  void age(const string& name, int seconds) const {
    const std::time_t when = std::time(nullptr) - seconds;
    const utimbuf times{when, when};
    ASSERT_EQ(::utime(path(name).c_str(), &times), 0);
  }

  TempFolder folder_;
};

TEST_F(StoreTest, WhereNoFolderCanBeThereIsNothingToRelease) {
  for (const string& folder : {string(folder_ / string(300, 'd')), '/' + string(5000, 'd')}) {
    EXPECT_NO_THROW(Store(folder, "net", in_seconds(20), false).release(kOwner)) << folder.size();
  }
}

TEST_F(StoreTest, OfAReservationThatTheReferenceMadeTheCacheThatIsHandedInTellsTheBoot) {
  put("10.1.0.2", "dummy\r\neth0");
  age("10.1.0.2", kYear);
  const string results = folder_ / "results";
  sys::ensure_folder(results, 0700);
  sys::write_file_atomically(results + "/net-dummy-eth0",
                             R"({"kind":"cniCacheV1","containerId":"dummy","networkName":"net",)"
                             R"("ifName":"eth0","netns":"/nonexistent/netns"})",
                             0600);
  Store knowing(data_dir(), "net", in_seconds(20), false, results);
  EXPECT_TRUE(knowing.find(kOwner).empty());
  EXPECT_EQ(knowing.find_earlier(kOwner).size(), 1U);
}

TEST_F(StoreTest, AReservationThatTheReferenceMadeIsOfThisBootWhereNoCacheIsHandedIn) {
  put("10.1.0.2", "dummy\r\neth0");
  age("10.1.0.2", kYear);
  EXPECT_EQ(open(false).find(kOwner).size(), 1U);
}

TEST_F(StoreTest, WritesTheBytesOfTheReference) {
  const mode_t umask_before = ::umask(022);
  std::map<string, string> announced;
  {
    Store store = open();
    EXPECT_TRUE(store.reserve(
        ip("10.1.2.2"), kOwner, 0, [&](const IpAddress& address, const string& content) {
          EXPECT_FALSE(std::filesystem::exists(path(address.str()))) << "announced too late";
          announced[address.str()] = content;
        }));
    EXPECT_TRUE(store.reserve(ip("2001:DB8:1::2"), kOwner, 1, unannounced));
  }
  ::umask(umask_before);
  EXPECT_EQ(get("10.1.2.2"), "dummy\r\neth0");
  EXPECT_EQ(get("2001:db8:1::2"), "dummy\r\neth0");
  EXPECT_EQ(get("last_reserved_ip.0"), "10.1.2.2");
  EXPECT_EQ(get("last_reserved_ip.1"), "2001:db8:1::2");
  EXPECT_EQ(get("lock"), "");
  EXPECT_EQ(mode("10.1.2.2"), 0600U);
  EXPECT_EQ(mode("last_reserved_ip.0"), 0600U);
  EXPECT_EQ(mode("lock"), 0750U);
  EXPECT_EQ(mode("."), 0755U);
  EXPECT_EQ(sys::list_folder(data_dir() + "/net").size(), 6U) << "no temporary file stays";
  EXPECT_EQ(mode(".unicni-index"), 0600U);
  EXPECT_EQ(announced, (std::map<string, string>{{"10.1.2.2", "dummy\r\neth0"}}));
}

TEST_F(StoreTest, TakenAddressIsNeitherTouchedNorAnnounced) {
  put("10.1.2.2", "other\r\neth0");
  put("last_reserved_ip.0", "10.1.2.9");
  Store store = open();
  EXPECT_FALSE(store.reserve(ip("10.1.2.2"), kOwner, 0, [](auto&&...) { FAIL() << "announced"; }));
  EXPECT_EQ(get("10.1.2.2"), "other\r\neth0");
  EXPECT_EQ(get("last_reserved_ip.0"), "10.1.2.9");
}

TEST_F(StoreTest, OwnAddressIsTakenToo) {
  Store store = open();
  ASSERT_TRUE(store.reserve(ip("10.1.2.2"), kOwner, 0, unannounced));
  EXPECT_FALSE(store.reserve(ip("10.1.2.2"), kOwner, 0, [](auto&&...) { FAIL() << "announced"; }));
}

TEST_F(StoreTest, NothingIsMadeIfTheAnnouncementFails) {
  Store store = open();
  EXPECT_THROW(store.reserve(ip("10.1.2.2"), kOwner, 0,
                             [](auto&&...) { throw Error(Code::internal, "no journal"); }),
               Error);
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(get("last_reserved_ip.0"), "(absent)");
}

TEST_F(StoreTest, AddressIsGivenBackIfTheCursorCanNotBeWritten) {
  sys::ensure_folder(path("last_reserved_ip.0"), 0755);
  Store store = open();
  EXPECT_THROW(store.reserve(ip("10.1.2.2"), kOwner, 0, unannounced), Error);
  EXPECT_TRUE(names().empty());
}

TEST_F(StoreTest, FilesOfNobodyAreTakenOver) {
  put("10.1.2.2", "");
  put("10.1.2.3", string(20, '\0'));
  put("10.1.2.4", "\r\n");
  put("10.1.2.5", "\x01\xff\x7fgarbage");
  put("10.1.2.6", "one\r\ntwo\r\nthree");
  put("10.1.2.7", string(5000, 'a') + string(5000, '\0'));
  Store store = open();
  for (const char* name :
       {"10.1.2.2", "10.1.2.3", "10.1.2.4", "10.1.2.5", "10.1.2.6", "10.1.2.7"}) {
    int announced = 0;
    EXPECT_TRUE(store.reserve(ip(name), kOwner, 0, [&](auto&&...) { ++announced; })) << name;
    EXPECT_EQ(get(name), "dummy\r\neth0") << name;
    EXPECT_EQ(announced, 1) << name;
  }
}

TEST_F(StoreTest, UnreadableFileBlocksOnlyItsAddress) {
  sys::ensure_folder(path("10.1.2.2"), 0755);
  Store store = open();
  EXPECT_FALSE(store.reserve(ip("10.1.2.2"), kOwner, 0, unannounced));
  EXPECT_TRUE(store.reserve(ip("10.1.2.3"), kOwner, 0, unannounced));
  ASSERT_EQ(store.list().size(), 2U);
  EXPECT_EQ(store.list()[0].container_id, "");
  EXPECT_EQ(store.find(kOwner), std::vector{ip("10.1.2.3")});
}

TEST_F(StoreTest, OwnersAreComparedAfterTrimming) {
  put("10.1.2.2", " dummy\r\neth0\r\n");
  put("10.1.2.10", "dummy\r\neth0");
  put("10.1.2.3", "dummy\r\neth1");
  put("10.1.2.4", "dummy2\r\neth0");
  put("10.1.2.5", "dummy");
  Store store = open();
  EXPECT_EQ(store.find(kOwner), (std::vector{ip("10.1.2.2"), ip("10.1.2.10")}));
  EXPECT_EQ(store.release(kOwner), 2U);
  EXPECT_EQ(names(), (std::vector<string>{"10.1.2.3", "10.1.2.4", "10.1.2.5"}));
}

TEST_F(StoreTest, OldFormatCountsOnlyWithoutTheNew) {
  put("10.1.2.2", "dummy\n");
  put("10.1.2.3", "dummy");
  put("10.1.2.4", "other");
  Store store = open();
  EXPECT_EQ(store.find(kOwner), (std::vector{ip("10.1.2.2"), ip("10.1.2.3")}));
  EXPECT_EQ(store.release(kOwner), 2U);
  EXPECT_EQ(names(), std::vector<string>{"10.1.2.4"});
  EXPECT_EQ(store.release(kOwner), 0U);
}

TEST_F(StoreTest, OnlyAddressesAreRead) {
  put("lock", "dummy\r\neth0");
  put("last_reserved_ip.0", "dummy\r\neth0");
  put("notes", "dummy\r\neth0");
  put("2001:DB8::1", "dummy\r\neth0");
  put(".10.1.2.3.0123456789abcdef.tmp", "dummy\r\neth0");
  sys::ensure_folder(path("sub"), 0755);
  put("sub/10.1.2.3", "dummy\r\neth0");
  Store store = open();
  EXPECT_TRUE(store.list().empty());
  EXPECT_EQ(store.release(kOwner), 0U);
  EXPECT_EQ(sys::list_folder(store.folder()).size(), 6U);
}

TEST_F(StoreTest, MissingFolderIsAnEmptyStore) {
  Store store = open(false);
  EXPECT_FALSE(store.exists());
  EXPECT_TRUE(store.list().empty());
  EXPECT_TRUE(store.find(kOwner).empty());
  EXPECT_EQ(store.release(kOwner), 0U);
  EXPECT_EQ(store.last_reserved(0), std::nullopt);
  EXPECT_FALSE(std::filesystem::exists(data_dir()));
}

TEST_F(StoreTest, LastReservedMustBeExactlyAnAddress) {
  put("last_reserved_ip.0", "10.1.2.9");
  put("last_reserved_ip.1", "10.1.2.9\n");
  put("last_reserved_ip.2", "");
  put("last_reserved_ip.3", "rubbish");
  const Store store = open();
  EXPECT_EQ(store.last_reserved(0), ip("10.1.2.9"));
  for (int i = 1; i < 5; ++i) EXPECT_EQ(store.last_reserved(i), std::nullopt) << i;
}

TEST_F(StoreTest, AbandonedFilesGoAfterTenSeconds) {
  put("10.1.2.2", "");
  put("10.1.2.3", "");
  put("10.1.2.4", "dummy\r\neth0");
  age("10.1.2.3", 12);
  age("10.1.2.4", 12);
  const std::vector<Attachment> valid = {{"dummy", "eth0"}};
  EXPECT_TRUE(open().collect(ValidAttachments(valid), false).empty());
  EXPECT_EQ(names(), (std::vector<string>{"10.1.2.2", "10.1.2.4"}));
  age("10.1.2.2", 12);
  EXPECT_TRUE(open().collect(ValidAttachments(valid), false).empty());
  EXPECT_EQ(names(), std::vector<string>{"10.1.2.4"});
}

TEST_F(StoreTest, FileOfSomebodyWhoDoesNotHeedTheLockIsSeen) {
  Store store = open();
  ASSERT_TRUE(store.reserve(ip("10.1.2.2"), kOwner, 0, unannounced));
  put("10.1.2.3", "other\r\neth0");
  EXPECT_FALSE(store.reserve(ip("10.1.2.3"), kOwner, 0, [](auto&&...) { FAIL() << "announced"; }));
  EXPECT_EQ(store.find({"other", "eth0"}), std::vector{ip("10.1.2.3")});
}

TEST_F(StoreTest, FileRewrittenInPlaceIsNotRemovedByItsFormerOwner) {
  ASSERT_TRUE(open().reserve(ip("10.1.2.2"), kOwner, 0, unannounced));
  sys::overwrite_file(path("10.1.2.2"), "other\r\neth0", 0600);
  EXPECT_EQ(open().release(kOwner), 0U);
  EXPECT_EQ(get("10.1.2.2"), "other\r\neth0");
  EXPECT_EQ(open().find({"other", "eth0"}), std::vector{ip("10.1.2.2")});
}

TEST_F(StoreTest, FolderWithoutAnIndexIsReadEveryTime) {
  std::filesystem::create_directories(data_dir() + "/net/.unicni-index/in-the-way");
  for (int i = 2; i < 5; ++i) {
    const string address = "10.1.2." + std::to_string(i);
    ASSERT_TRUE(open().reserve(ip(address), {"c" + std::to_string(i), "eth0"}, 0, unannounced));
    EXPECT_EQ(open().find({"c2", "eth0"}), std::vector{ip("10.1.2.2")});
    EXPECT_EQ(open().find({"c" + std::to_string(i), "eth0"}), std::vector{ip(address)});
  }
  EXPECT_EQ(open().release({"c3", "eth0"}), 1U);
  EXPECT_EQ(names(), (std::vector<string>{"10.1.2.2", "10.1.2.4"}));
  EXPECT_FALSE(std::filesystem::exists(data_dir() + "/net/.unicni-index.new"));
}

TEST_F(StoreTest, NetworkMustBeOneComponent) {
  for (const char* name : {"", ".", "..", "a/b", "../a"}) {
    EXPECT_THROW(Store(data_dir(), name, in_seconds(1), true), Error) << name;
  }
  EXPECT_FALSE(std::filesystem::exists(data_dir()));
}

TEST_F(StoreTest, WaitsForTheLockAtMostHalfOfTheTime) {
  Store holder = open();
  const auto start = std::chrono::steady_clock::now();
  try {
    Store second(data_dir(), "net", start + std::chrono::milliseconds(400), true);
    FAIL() << "two holders";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::try_again));
    EXPECT_NE(error.msg().find(std::to_string(::getpid())), string::npos) << error.msg();
  }
  const auto waited = std::chrono::steady_clock::now() - start;
  EXPECT_GE(waited, std::chrono::milliseconds(150));
  EXPECT_LT(waited, std::chrono::milliseconds(390));
}

TEST_F(StoreTest, WritableMeansThatTheFolderCouldBeMade) {
  require_writable(data_dir(), "net");
  EXPECT_FALSE(std::filesystem::exists(data_dir()));
  ASSERT_TRUE(open().exists());
  require_writable(data_dir(), "net");
  sys::write_file_atomically(folder_ / "file", "", 0700);
  EXPECT_THROW(require_writable(folder_ / "file", "net"), Error);
}

TEST_F(StoreTest, ReadOnlyFileSystemIsNotWritable) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    int status = 1;  // no mount namespace
    if (::unshare(CLONE_NEWNS) == 0 &&
        ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
        ::mount("none", folder_.path().c_str(), "tmpfs", MS_RDONLY, nullptr) == 0) {
      try {
        require_writable(data_dir(), "net");
        status = 2;
      } catch (const Error& error) {
        status = error.msg().find("EROFS") != string::npos ? 0 : 3;
      }
    }
    ::_exit(status);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

// 64 processes take, give back and take again at once.
TEST_F(StoreTest, ParallelProcessesGetDifferentAddresses) {
  const RangeSet set = {
      {IpNet::parse("10.1.2.0/24").value(), ip("10.1.2.1"), ip("10.1.2.254"), ip("10.1.2.1")}};
  constexpr int kProcesses = 64;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child > 0) {
      children.push_back(child);
      continue;
    }
    int status = 1;
    try {
      const Attachment owner{"container" + std::to_string(i), "eth0"};
      const auto take = [&] {
        Store store(data_dir(), "net", in_seconds(80), true);
        return store.allocate(set, {}, owner, 0, unannounced).has_value();
      };
      const auto give = [&] {
        return Store(data_dir(), "net", in_seconds(80), false).release(owner) == 1;
      };
      status = take() && give() && take() ? 0 : 2;
    } catch (const std::exception&) {
      status = 3;
    }
    ::_exit(status);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  std::map<string, int> owners;
  for (const Reservation& each : open().list()) ++owners[each.container_id];
  EXPECT_EQ(owners.size(), static_cast<std::size_t>(kProcesses));
  for (const auto& [owner, count] : owners) EXPECT_EQ(count, 1) << owner;
}

}  // namespace
}  // namespace unicni::ipam::store_test
