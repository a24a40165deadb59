#include "ipam/reservation.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/temp_folder_for_test.h"
#include "protocol/name.h"
#include "unicni/ipam/store.h"
#include "unicni/sys/file.h"

namespace unicni::ipam::reservation_test {
namespace {

using std::string;

constexpr std::size_t kIfNameLimit = 15;

string of_byte(int byte, std::size_t length) { return string(length, static_cast<char>(byte)); }

/// Names that ADD takes: of each byte at every length, alone, first, last and in the middle, and
/// random ones of all bytes.
std::vector<string> legal_if_names() {
  std::set<string> names;
  const auto add = [&](const string& name) {
    if (!protocol::refuse_new_if_name(name)) names.insert(name);
  };
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t length = 1; length <= kIfNameLimit; ++length) add(of_byte(byte, length));
    const string one = of_byte(byte, 1);
    for (const string& name : {one + "th0", "eth" + one, "et" + one + "h0"}) add(name);
  }
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    string name(1 + random() % kIfNameLimit, '\0');
    for (char& c : name) c = static_cast<char>(random());
    add(name);
  }
  for (const char* name : {"äth0", "接口", "\xEF\xBF\xBDth0", "a\xC2", "\x85"}) add(name);
  return {names.begin(), names.end()};
}

std::vector<string> legal_container_ids() {
  std::set<string> ids;
  const auto add = [&](const string& id) {
    if (protocol::valid_name(id)) ids.insert(id);
  };
  for (int byte = 1; byte < 256; ++byte) {
    for (const std::size_t length : {1U, 2U, 12U, 64U, 255U, 256U, 4096U, 100'000U}) {
      add(of_byte(byte, length));
      add('c' + of_byte(byte, length));
    }
  }
  for (int length = 1; length < 600; ++length)
    add(of_byte('a' + length % 26, static_cast<std::size_t>(length)));
  return {ids.begin(), ids.end()};
}

TEST(Owner, EveryNameThatAddTakesIsReadBackAsItself) {
  const auto names = legal_if_names();
  EXPECT_GT(names.size(), 3000U);
  for (const string& name : names) {
    const Attachment owner{"ctr", name};
    EXPECT_EQ(parse_owner(print_owner(owner)), owner) << testing::PrintToString(name);
  }
}

TEST(Owner, EveryContainerIdIsReadBackAsItself) {
  for (const string& id : legal_container_ids()) {
    for (const char* name : {"eth0", "äth0", "\xff", ""}) {
      const Attachment owner{id, name};
      EXPECT_EQ(parse_owner(print_owner(owner)), owner) << id.substr(0, 20) << ", " << id.size();
    }
  }
}

TEST(Owner, NoTwoNamesAreOne) {
  std::set<string> contents;
  const auto names = legal_if_names();
  for (const string& name : names) contents.insert(print_owner({"ctr", name}));
  EXPECT_EQ(contents.size(), names.size());
}

TEST(Owner, WhatAddRefusesNamesNobody) {
  for (const string& name : {string("a\nb"), string("a\0b", 3), string("a b"), string("a\tb")}) {
    EXPECT_TRUE(protocol::refuse_new_if_name(name));
    EXPECT_EQ(parse_owner("ctr\r\n" + name), std::nullopt) << testing::PrintToString(name);
  }
  for (const char* content : {"", "\r\n", "one\r\ntwo\r\nthree", "a b\r\neth0"}) {
    EXPECT_EQ(parse_owner(content), std::nullopt) << testing::PrintToString(content);
  }
  EXPECT_EQ(parse_owner(string(64, '\0')), std::nullopt);
}

/// Two containers with two interfaces each, of names that only bytes tell apart.
class UnusualOwners : public ::testing::Test {
 protected:
  [[nodiscard]] Store open() const {
    return {folder_.path(), "net", std::chrono::steady_clock::now() + std::chrono::seconds(30),
            true};
  }
  static IpAddress address(std::size_t i) {
    return *IpAddress::parse("10.1.2.0")->plus(static_cast<std::int64_t>(i));
  }
  void reserve_all() {
    Store store = open();
    for (std::size_t i = 0; i < owners_.size(); ++i) {
      ASSERT_TRUE(store.reserve(address(i), owners_[i], std::nullopt, [](auto&&...) {}));
    }
  }
  void lose_index() const { sys::remove_file(folder_ / "net/.unicni-index"); }
  void expect_found(const std::vector<bool>& held) {
    Store store = open();
    for (std::size_t i = 0; i < owners_.size(); ++i) {
      SCOPED_TRACE(testing::PrintToString(owners_[i].if_name));
      const auto found = store.find(owners_[i]);
      EXPECT_EQ(found, held[i] ? std::vector{address(i)} : std::vector<IpAddress>{});
      EXPECT_EQ(store.names(address(i), owners_[i]), held[i]);
      if (held[i]) {
        EXPECT_FALSE(store.reserve(address(i), {"other", "eth0"}, std::nullopt, [](auto&&...) {}));
      }
    }
  }

  TempFolder folder_;
  const std::vector<Attachment> owners_ = {{"c1", "äth0"},
                                           {"c1", "ath0"},
                                           {"c1", "\xE4th0"},
                                           {"c2", "äth0"},
                                           {"c2", "\x01"},
                                           {"c2", "\x7F\x1F"},
                                           {"c2", "\xFF\xFE"},
                                           {"c3", "\xC3"},
                                           {"c3", "\"\\%"},
                                           {"c4", "接口"},
                                           {"c4.x",
                                            "\x80"
                                            "eth"},
                                           {"c4", "eth0"}};
};

TEST_F(UnusualOwners, KeepTheirAddressesWhenTheIndexIsLost) {
  reserve_all();
  const std::vector<bool> all(owners_.size(), true);
  expect_found(all);
  lose_index();
  expect_found(all);
}

TEST_F(UnusualOwners, AreReleasedOneByOne) {
  for (const bool lost : {false, true}) {
    reserve_all();
    std::vector<bool> held(owners_.size(), true);
    for (std::size_t i = 0; i < owners_.size(); i += 2) {
      if (lost) lose_index();
      EXPECT_EQ(open().release(owners_[i]), 1U);
      EXPECT_EQ(open().release(owners_[i]), 0U);
      held[i] = false;
    }
    expect_found(held);
    for (const Attachment& owner : owners_) open().release(owner);
  }
}

TEST_F(UnusualOwners, SurviveTheGcThatListsThem) {
  for (const bool lost : {false, true}) {
    for (unsigned subset = 0; subset < 1U << owners_.size(); subset += 119) {
      reserve_all();
      if (lost) lose_index();
      std::vector<bool> held;
      std::vector<Attachment> valid;
      for (std::size_t i = 0; i < owners_.size(); ++i) {
        held.push_back((subset >> i & 1U) != 0);
        if (held[i]) valid.push_back(owners_[i]);
      }
      EXPECT_TRUE(open().collect(ValidAttachments(valid), false).empty());
      expect_found(held);
      open().collect({}, false);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace unicni::ipam::reservation_test
