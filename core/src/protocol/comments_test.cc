#include "protocol/comments.h"

#include <gtest/gtest.h>

#include "unicni/error.h"

namespace unicni::protocol::comments_test {
namespace {

TEST(Comments, BecomeBlanksAndLinesStay) {
  EXPECT_EQ(without_comments("{ // all\n\"a\":1}"), "{       \n\"a\":1}");
  EXPECT_EQ(without_comments("{\"a\":/* one\n two */1}"), "{\"a\":      \n       1}");
  EXPECT_EQ(without_comments("1//\r\n"), "1  \r\n");
  EXPECT_EQ(without_comments("1//"), "1  ");
  EXPECT_EQ(without_comments("/**/1"), "    1");
  EXPECT_EQ(without_comments("// /* \n1 // */"), "      \n1      ");
}

TEST(Comments, InStringsAreText) {
  for (const char* text : {R"({"a":"http://b"})", R"({"a":"/* b */"})", R"({"a":"\"// b"})",
                           R"({"a":"\\","b":"//"})", R"({"//":1})"}) {
    EXPECT_EQ(without_comments(text), text);
  }
}

TEST(Comments, OtherSlashesStay) {
  for (const char* text : {"{/}", "/", "", "\"never ends // ", "\"\\"}) {
    EXPECT_EQ(without_comments(text), text);
  }
}

TEST(Comments, WithoutEndAreRefusedByLine) {
  for (const char* text : {"1\n/* 2", "1\n/*", "1\n/*/"}) {
    try {
      without_comments(text);
      FAIL() << text;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::decode));
      EXPECT_EQ(error.msg(), "the comment that begins in line 2 doesn't end");
    }
    EXPECT_EQ(find_open_comment(text), 2U) << text;
  }
  EXPECT_EQ(find_open_comment("1 /* 2 */ \"/*\" // /*"), std::string_view::npos);
}

}  // namespace
}  // namespace unicni::protocol::comments_test
