#include "document/json.h"

#include <gtest/gtest.h>

#include <string>

#include "document/tree_for_test.h"

namespace unicni::document::json_test {
namespace {

TEST(Json, EveryNodeHasItsPlace) {
  EXPECT_EQ(json("{\"a\": [1, \"ä\",\n  {}],\n\"b\":null }", true),
            "{\"a\"@1:2: [1@1:8, \"ä\"@1:11, {}@2:3]@1:7, \"b\"@3:1: null@3:5}@1:1");
}

TEST(Json, PlacesAreThoseOfTheFileWithItsComments) {
  EXPECT_EQ(json("// ä\n{ /* ä€ */ \"a\": 1 } // end", true), "{\"a\"@2:12: 1@2:17}@2:1");
}

TEST(Json, NumbersKeepTheirDigitsAndStringsLoseTheirEscapes) {
  EXPECT_EQ(json(R"([1.0, 1e3, -0, 18446744073709551616, true, null, "\u00e4\ud83d\ude00\n"])"),
            "[1.0, 1e3, -0, 18446744073709551616, true, null, \"ä😀\n\"]");
}

TEST(Json, ATextAloneIsADocument) {
  EXPECT_EQ(json(" \"x\" ", true), "\"x\"@1:2");
  EXPECT_EQ(json("-1"), "-1");
}

TEST(Json, EqualKeysAreRefusedWithBothPlaces) {
  EXPECT_EQ(json_refusal("{\"p\": [1, {\"a\": 1,\n \"\\u0061\": 2}]}"),
            "f:2:2: p[1]: the key \"a\" stands twice | it stands at f:1:12 already; keep one of "
            "them");
}

TEST(Json, AMergeKeyIsYamls) { EXPECT_EQ(json(R"({"<<": {"a": 1}})"), R"({"<<": {"a": 1}})"); }

TEST(Json, WhatIsWrongIsSaidWithItsPlace) {
  EXPECT_EQ(json_refusal("{\"ä\": x}").substr(0, 12), "f:1:7: synta");
  EXPECT_EQ(json_refusal("[1,\n\n").substr(0, 12), "f:3:1: synta");
  EXPECT_EQ(json_refusal("[] // ok\n []").substr(0, 12), "f:2:2: synta");
  EXPECT_EQ(json_refusal("[1 /* x\n ]").substr(0, 46),
            "f:1:4: the comment that begins here doesn't en");
  EXPECT_EQ(json_refusal("").substr(0, 7), "f:1:1: ");
}

TEST(Json, DepthIsLimited) {
  EXPECT_EQ(json(std::string(64, '[') + std::string(64, ']')).size(), 128U);
  EXPECT_EQ(json_refusal(std::string(65, '[') + std::string(65, ']')),
            "f:1:65: nested deeper than 64 levels | lists and objects in each other count");
  EXPECT_EQ(json_refusal(std::string(100'000, '[')).substr(0, 28), "f:1:65: nested deeper than 6");
  // What is wrong before counts first.
  EXPECT_EQ(json_refusal("x" + std::string(65, '[')).substr(0, 12), "f:1:1: synta");
  EXPECT_EQ(json("\"" + std::string(65, '[') + "\\\"" + std::string(65, '[') + "\"").size(), 133U);
}

TEST(Json, ValuesAreLimited) {
  std::string text = "[0";
  for (int i = 0; i < 100'000; ++i) text += ",0";
  EXPECT_EQ(json_refusal(text + "]"),
            "f:1:200000: [99999]: more than 100000 values | an alias counts as all the values that "
            "it stands for");
}

}  // namespace
}  // namespace unicni::document::json_test
