#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace unicni::utf8_test {
namespace {

TEST(Utf8, SequencesOfEveryLength) {
  EXPECT_EQ(utf8_length("a\xff"), 1U);
  EXPECT_EQ(utf8_length("\xc3\xa4x"), 2U);
  EXPECT_EQ(utf8_length("\xe2\x82\xac"), 3U);
  EXPECT_EQ(utf8_length("\xf0\x9f\x90\xb3"), 4U);
  EXPECT_EQ(utf8_length(""), 0U);
}

TEST(Utf8, WhatIsNone) {
  for (const char* text :
       {"\x80", "\xff", "\xc0\xaf", "\xc3", "\xe0\x80\xaf", "\xed\xa0\x80", "\xe2\x82",
        "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80"}) {
    EXPECT_EQ(utf8_length(text), 0U) << text;
    EXPECT_FALSE(is_utf8(std::string("ok ") + text)) << text;
  }
}

TEST(Utf8, ATextIsAllOfIt) {
  EXPECT_TRUE(is_utf8(""));
  EXPECT_TRUE(is_utf8("na\xc3\xafve \xf0\x9f\x90\xb3"));
  EXPECT_FALSE(is_utf8("na\xefve"));
}

}  // namespace
}  // namespace unicni::utf8_test
