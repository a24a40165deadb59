#include "unicni/line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unicni::line_test {
namespace {

std::string all_bytes() {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  return bytes;
}

TEST(Escape, EveryByteComesBack) {
  std::string text;
  append_escaped(text, all_bytes());
  EXPECT_EQ(unescape(text), all_bytes());
  for (const char c : text) EXPECT_TRUE(c > ' ' && c < '\x7f') << static_cast<int>(c);
}

TEST(Escape, JsonStaysReadable) {
  std::string text;
  append_escaped(text, R"({"name":"net","mtu":1500})");
  EXPECT_EQ(text, R"({"name":"net","mtu":1500})");
  text.clear();
  append_escaped(text, "{\n    \"a\": \"1+1\"\n}");
  EXPECT_EQ(text, "{%0A++++\"a\":+\"1%2B1\"%0A}");
}

TEST(Unescape, RefusesHalfAnEscape) {
  for (const char* text : {"%", "a%4", "%4g", "%g4", "%%41", "%ff"})
    EXPECT_EQ(unescape(text), std::nullopt) << text;
}

TEST(Line, RoundTrip) {
  std::string text =
      LineWriter("undo").add("type", "x y").add(all_bytes(), all_bytes()).add("empty", "").finish();
  ASSERT_EQ(text.back(), '\n');
  text.pop_back();
  EXPECT_EQ(text.find('\n'), text.npos);
  const auto line = parse_line(text);
  ASSERT_TRUE(line.has_value());
  EXPECT_EQ(line->word, "undo");
  EXPECT_EQ(line->get("type"), "x y");
  EXPECT_EQ(line->get(all_bytes()), all_bytes());
  ASSERT_NE(line->find("empty"), nullptr);
  EXPECT_EQ(line->find("absent"), nullptr);
  EXPECT_EQ(line->get("absent"), "");
}

TEST(Line, ChecksumIsCrc32) {
  // "123456789" is the check value of CRC-32: cbf43926.
  EXPECT_EQ(LineWriter("123456789").finish(), "123456789 #cbf43926\n");
}

TEST(Line, AnyChangedByteIsNoticed) {
  std::string text = LineWriter("done").add("result", "{}").finish();
  text.pop_back();
  ASSERT_TRUE(parse_line(text).has_value());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(parse_line(changed).has_value()) << changed;
  }
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_line(text.substr(0, size)).has_value()) << size;
  }
}

}  // namespace
}  // namespace unicni::line_test
