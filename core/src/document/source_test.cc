#include "document/source.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error_for_test.h"

namespace unicni::document::source_test {
namespace {

std::string refusal(const std::string& text) {
  return refusal_of([&] { Source("f", text); }, Code::decode);
}

TEST(Source, CountsLinesAndCharacters) {
  const Source source("f", "a\nä€😀b\r\n\tc");
  const auto at = [&](std::size_t offset) { return place("f", source.position(offset)); };
  EXPECT_EQ(at(0), "f:1:1");
  EXPECT_EQ(at(1), "f:1:2");
  EXPECT_EQ(at(2), "f:2:1");
  EXPECT_EQ(at(2 + 2 + 3 + 4), "f:2:4");
  EXPECT_EQ(at(source.text().find('c')), "f:3:2");
  EXPECT_EQ(at(1000), "f:3:3");
}

TEST(Source, FindsPlacesOfLongLinesAtOnce) {
  std::string text;
  while (text.size() < kFileLimit) text += "ä";
  const Source source("f", text);
  for (std::size_t offset = 0; offset < text.size(); offset += 2) {
    ASSERT_EQ(source.position(offset).column, offset / 2 + 1);
  }
}

TEST(Source, RefusesMoreThanOneMebibyte) {
  EXPECT_EQ(refusal(std::string(kFileLimit, 'a')), "");
  EXPECT_EQ(refusal(std::string(kFileLimit + 1, 'a')),
            "f:1:1: a file of 1048577 bytes is too large");
}

TEST(Source, RefusesWhatIsNoUtf8) {
  for (const char* text : {"ä", "\xEF\xBF\xBF", "\xF4\x8F\xBF\xBF", "\xED\x9F\xBF", "\xC2\x80"}) {
    EXPECT_EQ(refusal(text), "") << text;
  }
  EXPECT_EQ(refusal("a: ä\n  \xff"), "f:2:3: the byte 0xff is no UTF-8");
  for (const char* text : {"\x80", "\xC0\x80", "\xC3", "\xC3x", "\xE0\x80\x80", "\xED\xA0\x80",
                           "\xE2\x82", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5"}) {
    EXPECT_NE(refusal(text), "") << text;
  }
}

TEST(Source, RefusesControlCharactersAndByteOrderMarks) {
  EXPECT_EQ(refusal("a\t\r\n"), "");
  EXPECT_EQ(refusal(std::string("a\0", 2)), "f:1:2: the control character U+0000");
  // With which the YAML library ends the file.
  EXPECT_EQ(refusal("a\n\x04"), "f:2:1: the control character U+0004");
  EXPECT_EQ(refusal("\xEF\xBB\xBF{}"), "f:1:1: the file begins with a byte order mark");
}

}  // namespace
}  // namespace unicni::document::source_test
