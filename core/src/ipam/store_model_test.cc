// Random histories of a network's folder against a model that knows only the files: whatever the
// index says must be what reading everything says.
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "base/ip_for_test.h"
#include "base/temp_folder_for_test.h"
#include "unicni/ipam/store.h"
#include "unicni/sys/file.h"

namespace unicni::ipam::store_model_test {
namespace {

using std::string;

class StoreModel : public ::testing::TestWithParam<unsigned> {
 protected:
  [[nodiscard]] Store open() const {
    return {folder_.path(), "net", std::chrono::steady_clock::now() + std::chrono::seconds(30),
            true};
  }
  [[nodiscard]] string path(const string& name) const { return folder_ / ("net/" + name); }
  /// Containers with two interfaces each, some with names that are no ASCII or no text.
  static Attachment owner(unsigned i) {
    const std::array names = {"eth0", "eth1", "äth0", "\xE4th0", "\x01", "\xFF"};
    return {"c" + std::to_string(i / 2), names[i % names.size()]};
  }
  static string content(unsigned i) { return owner(i).container_id + "\r\n" + owner(i).if_name; }

  /// What the reference would hand out: every address after the last one, read one by one.
  [[nodiscard]] std::optional<IpAddress> next_by_hand() const {
    std::vector<IpAddress> all;
    for (const Range& range : set_) {
      for (IpAddress at = range.start;; at = *at.plus(1)) {
        if (at != range.gateway) all.push_back(at);
        if (at == range.end) break;
      }
    }
    std::size_t begin = 0;
    const auto text = sys::read_file(path("last_reserved_ip.0"));
    for (std::size_t i = 0; text && i < all.size(); ++i) {
      if (all[i].str() == *text) begin = i + 1;
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
      const IpAddress& at = all[(begin + i) % all.size()];
      if (!files_.contains(at.str())) return at;
    }
    return std::nullopt;
  }
  void foreign(const string& name, const string& text) const {
    std::ofstream(path(name), std::ios::binary | std::ios::trunc) << text;
  }
  void expect_owner(unsigned i) {
    std::vector<string> expected;
    std::vector<string> found;
    for (const auto& [name, holder] : files_) {
      if (holder == i) expected.push_back(name);
    }
    Store store = open();
    for (const IpAddress& address : store.find(owner(i))) found.push_back(address.str());
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, expected) << "owner " << i;
  }
  void add(unsigned i) {
    const auto expected = next_by_hand();
    Store store = open();
    EXPECT_EQ(store.has_free(set_, {}, 0), expected.has_value());
    const auto got = store.allocate(set_, {}, owner(i), 0, [](auto&&...) {});
    ASSERT_EQ(got.has_value(), expected.has_value());
    if (!got) {
      const Usage usage = store.usage(set_, {}, 0);
      EXPECT_EQ(usage.used, usage.total);
      return;
    }
    EXPECT_EQ(got->first.str(), expected->str());
    files_[got->first.str()] = i;
  }
  void remove_of(unsigned i) {
    std::erase_if(files_, [&](const auto& each) { return each.second == i; });
  }

  TempFolder folder_;
  std::map<string, unsigned> files_;
  RangeSet set_ = {
      {IpNet::parse("10.1.2.0/24").value(), ip("10.1.2.240"), ip("10.1.3.20"), ip("10.1.2.250")},
      {IpNet::parse("10.1.1.0/24").value(), ip("10.1.1.1"), ip("10.1.1.9"), ip("10.1.1.1")}};
};

TEST_P(StoreModel, IndexSaysWhatTheFilesSay) {
  std::mt19937 random(GetParam());
  static_cast<void>(open());
  for (int step = 0; step < 1000; ++step) {
    SCOPED_TRACE(step);
    const auto i = static_cast<unsigned>(random() % 40);
    const string name = "10.1.2." + std::to_string(240 + random() % 10);
    switch (random() % 16) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
      case 5:
        add(i);
        break;
      case 6:
      case 7:
      case 8:
        open().release(owner(i));
        remove_of(i);
        break;
      case 9: {  // by name
        Store store = open();
        EXPECT_EQ(store.reserve(ip(name), owner(i), 0, [](auto&&...) {}), !files_.contains(name));
        files_.try_emplace(name, i);
        break;
      }
      case 10:  // the reference's ADD, DEL, and both at once
        if (std::filesystem::exists(path(name))) break;
        foreign(name, content(i));
        files_[name] = i;
        break;
      case 11:
        std::filesystem::remove(path(name));
        files_.erase(name);
        break;
      case 12:
        std::filesystem::remove(path(name));
        foreign(name, content(i));
        files_[name] = i;
        break;
      case 13:  // a power cut's leftover
        if (!files_.contains(name)) foreign(name, random() % 2 == 0 ? "" : string(9, '\0'));
        break;
      case 14:  // the index is lost or damaged
        if (random() % 2 == 0) {
          std::filesystem::remove(path(".unicni-index"));
        } else {
          foreign(".unicni-index", string(random() % 9000, 'x'));
        }
        break;
      default: {
        std::vector<Attachment> valid;
        for (unsigned each = 0; each < 40; each += 1 + static_cast<unsigned>(random() % 2))
          valid.push_back(owner(each));
        EXPECT_TRUE(open().collect(ValidAttachments(valid), false).empty());
        std::erase_if(files_, [&](const auto& each) {
          return std::find(valid.begin(), valid.end(), owner(each.second)) == valid.end();
        });
      }
    }
    expect_owner(static_cast<unsigned>(random() % 40));
    if (HasFailure()) return;
  }
  std::map<string, string> by_files;
  for (const Reservation& each : open().list()) {
    if (!each.container_id.empty())
      by_files[each.address.str()] = each.container_id + "\r\n" + each.if_name;
  }
  std::map<string, string> by_model;
  for (const auto& [name, holder] : files_) by_model[name] = content(holder);
  EXPECT_EQ(by_files, by_model);
}

INSTANTIATE_TEST_SUITE_P(Histories, StoreModel, ::testing::Range(1U, 5U));

}  // namespace
}  // namespace unicni::ipam::store_model_test
