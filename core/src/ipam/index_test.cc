#include "ipam/index.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <stdexcept>

#include "base/ip_for_test.h"
#include "base/temp_folder_for_test.h"
#include "ipam/reconcile.h"
#include "ipam/reservation.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::ipam::index_test {
namespace {

using std::string;

constexpr BootId kBoot = {1, 2, 3};
constexpr BootId kNextBoot = {4, 5, 6};
constexpr Index::Planes kAll = 7;

class IndexTest : public ::testing::Test {
 protected:
  [[nodiscard]] Index empty() const { return {folder_.path(), kBoot, 1}; }
  [[nodiscard]] Index load(const BootId& boot = kBoot) const {
    return load_index(folder_.path(), boot);
  }
  [[nodiscard]] string file() const { return folder_ / ".unicni-index"; }
  [[nodiscard]] bool matches(const Index& index) const {
    return index.matches(Index::folder_time(folder_.path()));
  }
  static IndexEntry reserved(const Index& index, const string& address, const string& owner) {
    IndexEntry entry;
    entry.address = ip(address);
    entry.boot = kBoot;
    entry.owner = index.hash(owner);
    return entry;
  }
  /// A reservation as ADD makes it.
  void reserve(Index& index, const string& address, const string& owner) const {
    sys::create_file(folder_ / address, owner, 0600);
    IndexEntry entry = reserved(index, address, owner);
    const auto identity = identify(folder_ / address);
    entry.inode = identity->inode;
    entry.changed = identity->changed;
    index.put(entry);
  }
  static std::set<string> owned(const Index& index, const string& owner) {
    std::set<string> addresses;
    for (const IndexEntry& entry : index.of_owner(index.hash(owner)))
      addresses.insert(entry.address.str());
    return addresses;
  }

  TempFolder folder_;
};

TEST_F(IndexTest, FindsByAddressOwnerAndKey) {
  Index index = empty();
  index.put(reserved(index, "10.1.2.3", "a"));
  index.put(reserved(index, "2001:db8::3", "a"));
  IndexEntry kept;
  kept.address = ip("10.1.2.4");
  kept.state = EntryState::remembered;
  kept.sticky = index.hash("key");
  index.put(kept);
  EXPECT_EQ(owned(index, "a"), (std::set<string>{"10.1.2.3", "2001:db8::3"}));
  EXPECT_TRUE(index.find(ip("10.1.2.4")));
  EXPECT_FALSE(index.find(ip("10.1.2.5")));
  ASSERT_EQ(index.of_sticky(index.hash("key")).size(), 1U);
  index.erase(ip("10.1.2.3"));
  index.erase(ip("10.1.2.3"));
  EXPECT_EQ(owned(index, "a"), (std::set<string>{"2001:db8::3"}));
  EXPECT_EQ(index.reserved(), 1U);
  EXPECT_EQ(index.remembered(), 1U);
}

TEST_F(IndexTest, FirstFreePassesRunsOfAnyLength) {
  Index index = empty();
  IpAddress at = ip("10.1.0.0");
  for (int i = 0; i < 5000; ++i) {
    index.put(reserved(index, at.str(), "o" + std::to_string(i)));
    at = *at.plus(1);
  }
  EXPECT_EQ(index.first_free(ip("10.1.0.7"), ip("10.1.255.255"), kAll), at);
  EXPECT_EQ(index.first_free(ip("10.1.0.7"), *at.plus(-1), kAll), std::nullopt);
  index.erase(ip("10.1.3.9"));
  EXPECT_EQ(index.first_free(ip("10.1.0.0"), at, kAll), ip("10.1.3.9"));
  EXPECT_EQ(index.first_free(ip("10.1.3.10"), *at.plus(-1), kAll), std::nullopt);
  EXPECT_EQ(index.count(ip("10.1.0.0"), ip("10.1.255.255")), 4999U);
  EXPECT_EQ(index.count(ip("10.1.3.8"), ip("10.1.3.10")), 2U);
  EXPECT_EQ(index.first_free(ip("10.0.255.255"), ip("10.1.0.0"), kAll), ip("10.0.255.255"));
}

TEST_F(IndexTest, Ipv6SubnetsOfAnySizeAndTheEndsOfFamilies) {
  Index index = empty();
  const string last = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  for (const char* address :
       {"2001:db8::1", "2001:db8::2", "2001:db8:ffff::", "0.0.0.0", "255.255.255.255", "::"}) {
    index.put(reserved(index, address, "o"));
  }
  index.put(reserved(index, last, "o"));
  EXPECT_EQ(index.first_free(ip("2001:db8::1"), ip("2001:db8:ffff:ffff::"), kAll),
            ip("2001:db8::3"));
  EXPECT_EQ(index.first_free(ip(last), ip(last), kAll), std::nullopt);
  EXPECT_EQ(index.first_free(ip("255.255.255.255"), ip("255.255.255.255"), kAll), std::nullopt);
  EXPECT_EQ(index.first_free(ip("0.0.0.0"), ip("255.255.255.255"), kAll), ip("0.0.0.1"));
  EXPECT_EQ(index.count(ip("::"), ip(last)), 5U);
}

TEST_F(IndexTest, AnAddressThatWandersLeavesNoBlocks) {
  Index index = empty();
  IpAddress at = ip("2001:db8::");
  for (int i = 0; i < 20'000; ++i) {
    index.put(reserved(index, at.str(), "o"));
    index.erase(at);
    at = *at.plus(300);
  }
  index.commit();
  EXPECT_LT(std::filesystem::file_size(file()), 100'000U);
}

TEST_F(IndexTest, RestsEndInTheirOrder) {
  Index index = empty();
  for (int i = 1; i <= 3; ++i) {
    IndexEntry entry;
    entry.address = ip("10.1.2." + std::to_string(i));
    entry.state = EntryState::resting;
    entry.released = i * 1000;
    if (i == 2) entry.sticky = index.hash("key");
    index.put(entry);
  }
  const auto resting = [&] {
    std::vector<string> result;
    index.for_each_resting([&](const IndexEntry& entry) {
      result.push_back(entry.address.str());
      return true;
    });
    return result;
  };
  index.end_rests(500, 1400);
  EXPECT_EQ(resting().size(), 3U);
  index.end_rests(500, 3100);
  EXPECT_EQ(resting(), std::vector<string>{"10.1.2.3"});
  EXPECT_FALSE(index.find(ip("10.1.2.1")));
  EXPECT_EQ(index.find(ip("10.1.2.2"))->state, EntryState::remembered);
  index.end_rests(500, 0);  // the clock was set back
  EXPECT_TRUE(resting().empty());
}

TEST_F(IndexTest, BelievedUntilTheFolderChanges) {
  Index made = empty();
  EXPECT_FALSE(matches(made));
  reserve(made, "10.1.2.3", "a");
  made.commit();
  EXPECT_TRUE(matches(made));
  EXPECT_TRUE(matches(load()));
  sys::create_file(folder_ / "10.1.2.4", "b", 0600);
  EXPECT_FALSE(matches(load()));
  EXPECT_EQ(owned(load(), "b"), std::set<string>{"10.1.2.4"});
  std::filesystem::remove(folder_ / "10.1.2.3");
  EXPECT_TRUE(owned(load(), "a").empty());
}

// Within one tick of the clock that stamps folders.
TEST_F(IndexTest, ChangesRightAfterOursAreSeen) {
  for (int i = 0; i < 200; ++i) {
    const string name = "10.1.2." + std::to_string(i);
    Index index = load();
    reserve(index, name, "ours");
    index.commit();
    std::filesystem::remove(folder_ / name);
    EXPECT_TRUE(owned(load(), "ours").empty()) << i;
  }
}

TEST_F(IndexTest, NeverReadsAsAnOwner) {
  Index index = empty();
  index.commit();
  const auto text = sys::read_file(file());
  ASSERT_TRUE(text);
  EXPECT_FALSE(parse_owner(*text));
  EXPECT_EQ((*text)[0], '\0');
}

/// The slot of an address, as it lies in the bytes of a file.
Slot& slot_in(string& bytes, const string& address) {
  const IpAddress wanted = ip(address);
  for (std::size_t at = 0; at + sizeof(Slot) <= bytes.size(); at += 8) {
    auto& slot = *reinterpret_cast<Slot*>(&bytes[at]);
    if (slot.family == 4 && slot.state != 0 &&
        std::equal(wanted.data(), wanted.data() + wanted.size(), slot.address.begin())) {
      return slot;
    }
  }
  throw std::runtime_error("no slot of " + address);
}

TEST_F(IndexTest, ARingAmongTheRestingIsGivenUpAndMadeAgain) {
  const auto ring = [&] {
    Index index = empty();
    for (const string last : {"1", "2", "3"}) {
      IndexEntry entry = reserved(index, "10.1.2." + last, "a");
      entry.state = EntryState::resting;
      entry.sticky = index.hash("s" + last);
      index.put(entry);
    }
    index.commit();
    string bytes = *sys::read_file(file());
    slot_in(bytes, "10.1.2.1").newer = slot_in(bytes, "10.1.2.2").older;
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << bytes;
    return *Index::open(folder_.path(), kBoot);
  };
  EXPECT_THROW(ring().end_rests(0, 1'000), Error);
  EXPECT_FALSE(std::filesystem::exists(file()));
  int visited = 0;
  ring().for_each_resting([&](const IndexEntry&) { return ++visited > 0; });
  EXPECT_EQ(visited, 3) << "as many as the header says";
  const auto grow = [&] {
    Index index = ring();
    for (int i = 0; i < 1'000; ++i)
      index.put(reserved(
          index, "10.1." + std::to_string(3 + i / 250) + "." + std::to_string(i % 250), "b"));
  };
  EXPECT_THROW(grow(), Error);
}

TEST_F(IndexTest, GarbageIsMadeAgain) {
  Index first = load();
  reserve(first, "10.1.2.3", "a");
  first.commit();
  const auto good = sys::read_file(file());
  ASSERT_TRUE(good);
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    string bad = *good;
    if (round % 4 == 0) {
      bad.resize(random() % bad.size());
    } else {
      for (int i = 0; i < 20; ++i) bad[random() % 200] = static_cast<char>(random());
    }
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << bad;
    Index index = load();
    EXPECT_EQ(owned(index, "a"), std::set<string>{"10.1.2.3"}) << round;
    index.commit();
    EXPECT_TRUE(matches(load())) << round;
  }
  std::filesystem::remove(file());
  std::filesystem::create_directory(file());
  Index index = load();
  EXPECT_EQ(owned(index, "a"), std::set<string>{"10.1.2.3"});
  index.commit();
  EXPECT_EQ(owned(load(), "a"), std::set<string>{"10.1.2.3"});
}

// A power cut leaves any mixture of old and new pages, and always another boot.
TEST_F(IndexTest, AnyMixtureOfPagesAfterAPowerCut) {
  std::mt19937 random(11);
  std::map<string, string> files;
  for (int i = 1; i < 120; ++i) files["10.1.2." + std::to_string(i)] = "o" + std::to_string(i % 7);
  {
    Index index = load();
    for (const auto& [address, owner] : files) reserve(index, address, owner);
    index.commit();
  }
  const string before = *sys::read_file(file());
  {
    Index index = load();
    for (int i = 1; i < 60; ++i) {
      const string address = "10.1.2." + std::to_string(i);
      std::filesystem::remove(folder_ / address);
      index.erase(ip(address));
      files.erase(address);
    }
    for (int i = 150; i < 180; ++i) {
      const string address = "10.1.2." + std::to_string(i);
      reserve(index, address, files[address] = "p" + std::to_string(i % 7));
    }
    index.commit();
  }
  const string after = *sys::read_file(file());
  ASSERT_EQ(before.size(), after.size());
  for (int round = 0; round < 100; ++round) {
    string mixed = after;
    for (std::size_t at = 0; at < mixed.size(); at += kPageSize) {
      if (random() % 2 == 0) mixed.replace(at, kPageSize, before, at, kPageSize);
      if (random() % 10 == 0) mixed.replace(at, kPageSize, kPageSize, '\0');
    }
    std::ofstream(file(), std::ios::binary | std::ios::trunc) << mixed;
    const Index index = load(kNextBoot);
    std::map<string, std::set<string>> expected;
    for (const auto& [address, owner] : files) expected[owner].insert(address);
    for (const auto& [owner, addresses] : expected) EXPECT_EQ(owned(index, owner), addresses);
    EXPECT_EQ(index.reserved(), files.size());
    EXPECT_EQ(index.first_free(ip("10.1.2.60"), ip("10.1.2.255"), kAll), ip("10.1.2.120"));
    if (HasFailure()) FAIL() << round;
  }
}

TEST_F(IndexTest, AnotherBootMakesReservationsStale) {
  {
    Index index = load();
    reserve(index, "10.1.2.3", "a");
    index.commit();
  }
  Index index = load(kNextBoot);
  EXPECT_EQ(index.find(ip("10.1.2.3"))->boot, kBoot);
  EXPECT_EQ(index.stale(), 1U);
  EXPECT_EQ(index.first_free(ip("10.1.2.3"), ip("10.1.2.9"), kAll), ip("10.1.2.4"));
  EXPECT_EQ(index.first_free(ip("10.1.2.3"), ip("10.1.2.9"), 1), ip("10.1.2.3"));
  // Made anew by somebody else: another file, of which nothing is known but its time.
  std::filesystem::remove(folder_ / "10.1.2.3");
  sys::create_file(folder_ / "10.1.2.3", "a", 0600);
  EXPECT_EQ(load(kNextBoot).find(ip("10.1.2.3"))->boot, kNextBoot);
}

TEST_F(IndexTest, ReadOnlyFolderIsReadAllTheSame) {
  sys::create_file(folder_ / "10.1.2.3", "a", 0600);
  Index index = load_index(folder_.path(), kBoot);
  EXPECT_EQ(owned(index, "a"), std::set<string>{"10.1.2.3"});
  // Without commit() nothing was made.
  EXPECT_FALSE(std::filesystem::exists(file()));
}

}  // namespace
}  // namespace unicni::ipam::index_test
