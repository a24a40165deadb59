#include "unicni/valid_attachments.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <string>

namespace unicni::valid_attachments_test {
namespace {

using std::string;

TEST(ValidAttachments, NoneByDefault) {
  const ValidAttachments none;
  EXPECT_EQ(none.size(), 0U);
  EXPECT_FALSE(none.contains({"c", "eth0"}));
  EXPECT_FALSE(none.contains_container("c"));
  none.for_each([](auto&&...) { FAIL(); });
}

TEST(ValidAttachments, HoldsTwoOfEach) {
  const ValidAttachments valid = {{"a", "eth0"}, {"a", "eth1"}, {"b", "eth0"}, {"a", "eth0"}};
  for (const char* id : {"a", "b"}) EXPECT_TRUE(valid.contains_container(id));
  EXPECT_TRUE(valid.contains({"a", "eth0"}));
  EXPECT_TRUE(valid.contains({"a", "eth1"}));
  EXPECT_TRUE(valid.contains({"b", "eth0"}));
  for (const Attachment& other : std::vector<Attachment>{
           {"b", "eth1"}, {"c", "eth0"}, {"a", ""}, {"", "eth0"}, {"aeth0", ""}, {"eth0", "a"}}) {
    EXPECT_FALSE(valid.contains(other)) << other.container_id << ' ' << other.if_name;
  }
  EXPECT_FALSE(valid.contains_container("c"));
  EXPECT_FALSE(valid.contains_container("eth0"));
}

TEST(ValidAttachments, SaysWhatASetSays) {
  std::mt19937 random(7);
  const auto name = [&] { return string(1 + random() % 2, static_cast<char>('a' + random() % 9)); };
  for (int round = 0; round < 50; ++round) {
    std::set<std::pair<string, string>> model;
    ValidAttachments::Builder builder;
    for (auto i = random() % 60; i > 0; --i) {
      const auto& [entry, is_new] = model.emplace(name(), name());
      builder.add(entry->first, entry->second);
    }
    const ValidAttachments valid = builder.take();
    for (int i = 0; i < 200; ++i) {
      const Attachment asked{name(), name()};
      EXPECT_EQ(valid.contains(asked), model.contains({asked.container_id, asked.if_name}));
      const bool has_container = std::any_of(model.begin(), model.end(), [&](const auto& each) {
        return each.first == asked.container_id;
      });
      EXPECT_EQ(valid.contains_container(asked.container_id), has_container);
    }
  }
}

TEST(ValidAttachments, ListsWhatItWasGivenInOrder) {
  ValidAttachments::Builder builder;
  builder.add("b", "eth0");
  builder.add("a", "");
  builder.add("c", string("x\0y", 3));
  builder.add("a", "äth0");
  EXPECT_EQ(builder.size(), 4U);
  string text;
  builder.take().for_each([&](std::string_view container_id, std::string_view if_name) {
    text += string(container_id) + '/' + string(if_name) + ' ';
  });
  EXPECT_EQ(text, "b/eth0 a/ a/äth0 ");
}

// Go's encoding/json writes one U+FFFD for each byte, others one for a run.
TEST(ValidAttachments, KeepsNamesThatJsonCanNotTell) {
  const string lost = "\xEF\xBF\xBD";
  const ValidAttachments valid = {{"c", lost + "th0"}, {"d", "x" + lost + lost}, {"e", "äth0"}};
  EXPECT_TRUE(valid.contains({"c", "\xE4th0"}));
  EXPECT_TRUE(valid.contains({"c", lost + "th0"}));
  EXPECT_TRUE(valid.contains({"c",
                              "\xE4\xBD"
                              "th0"}));
  EXPECT_FALSE(valid.contains({"c", "äth0"}));
  EXPECT_FALSE(valid.contains({"c", "th0"}));
  EXPECT_FALSE(valid.contains({"c", "\xE4th1"}));
  EXPECT_FALSE(valid.contains({"d", "\xE4th0"}));
  EXPECT_TRUE(valid.contains({"d", "x\xFF\xFE"}));
  EXPECT_TRUE(valid.contains({"d", "x\xC0\x80"})) << "overlong";
  EXPECT_TRUE(valid.contains({"d", "x\xED\xA0\x80"})) << "a surrogate";
  EXPECT_TRUE(valid.contains({"d", "x\xF5\x80\x80\x80"})) << "beyond U+10FFFF";
  EXPECT_FALSE(valid.contains({"d", "x\xF4\x8F\xBF\xBF"}));
  EXPECT_TRUE(valid.contains({"e", "äth0"}));
  EXPECT_FALSE(valid.contains({"e", "\xE4th0"}));
}

TEST(ValidAttachments, InvalidOnesAreNamedByWhateverTextTheyOwnUnder) {
  const auto print = [](const Attachment& each) {
    const string text = "net/" + each.container_id + '/' + each.if_name;
    return text.size() > 20 ? "hash of " + text.substr(4) : text;
  };
  const ValidAttachments valid = {
      {"a", "eth0"}, {"b", "\xEF\xBF\xBDth0"}, {"a-long-container-id", "eth0"}};
  EXPECT_EQ(valid.invalid_among({"net/a/eth0", "net/b/\xE4th0", "hash of a-long-container-id/eth0"},
                                print),
            std::set<string>{});
  const std::set<string> invalid = {"net/a/eth1", "net/c/eth0", "hash of a-long-container-id/eth1",
                                    "x",          "/",          ""};
  std::set<string> all = invalid;
  all.insert({"net/a/eth0", "hash of a-long-container-id/eth0"});
  EXPECT_EQ(valid.invalid_among(all, print), invalid);
}

}  // namespace
}  // namespace unicni::valid_attachments_test
