#include "options/keys.h"

#include <gmock/gmock.h>

#include <ctime>
#include <string>

#include "options/demo_table_for_test.h"

namespace unicni::options::keys_test {
namespace {

using demo::parse_demo;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Keys, ExactSpellingWins) {
  const auto demo = parse_demo(R"({"COUNT":5,"count":2,"Count":6})");
  EXPECT_EQ(demo->count, 2);
  EXPECT_THAT(demo.warnings,
              ElementsAre(R"("COUNT" is ignored beside "count"; write it in this letter case)",
                          R"("Count" is ignored beside "count"; write it in this letter case)"));
}

TEST(Keys, AnotherLetterCaseIsTakenWithAWarning) {
  const auto demo =
      parse_demo(R"({"COUNT":5,"dns":{"Domain":"d"},"RUNTIMECONFIG":{"MAC":"0a:58:0a:01:02:03"}})");
  EXPECT_EQ(demo->count, 5);
  EXPECT_EQ(demo->dns->domain, "d");
  EXPECT_TRUE(demo->mac.has_value());
  EXPECT_THAT(
      demo.warnings,
      ElementsAre(R"(dns: "Domain" is taken for "domain"; write it in this letter case)",
                  R"("COUNT" is taken for "count"; write it in this letter case)",
                  R"("RUNTIMECONFIG" is taken for "runtimeConfig"; write it in this letter case)"));
}

TEST(Keys, ARuntimesOwnLetterCaseIsNobodysFault) {
  const auto demo = parse_demo(R"({"runtimeConfig":{"Mac":"0a:58:0a:01:02:03"}})");
  EXPECT_TRUE(demo->mac.has_value());
  EXPECT_THAT(demo.warnings, IsEmpty());
  EXPECT_THAT(parse_demo(R"({"runtimeConfig":{"MAC":"x","mac":"0a:58:0a:01:02:03"}})").warnings,
              ElementsAre(R"(runtimeConfig: "MAC" is ignored beside "mac"; write it in this )"
                          R"(letter case)"));
}

TEST(Keys, OfMoreMistakesThanAnybodyReadsOnlyTheirNumberIsTold) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i) text += "\"paint" + std::to_string(i) + "\":1,";
  text += R"("nested":{"x":1},"count":2})";
  const std::clock_t begin = std::clock();
  const auto demo = parse_demo(text);
  EXPECT_LT(std::clock() - begin, 5 * CLOCKS_PER_SEC);
  EXPECT_EQ(demo->count, 2);
  ASSERT_EQ(demo.warnings.size(), Warnings::kMost + 1);
  EXPECT_EQ(demo.warnings[0], R"(unknown key "paint0" is ignored)");
  EXPECT_EQ(demo.warnings.back(), std::to_string(100'001 - Warnings::kMost) +
                                      " more keys or values are wrong in this configuration");
}

TEST(Keys, OfSeveralLetterCasesTheLastCounts) {
  const auto demo = parse_demo(R"({"COUNT":5,"Count":6})");
  EXPECT_EQ(demo->count, 6);
  EXPECT_EQ(demo.warnings.size(), 2U);
}

TEST(Keys, ExactCaseRowsKnowOneSpelling) {
  const auto strict =
      demo::parse_as<demo::Strict>(demo::kStrictTable, R"({"KEY":"a","needed":"b"})");
  EXPECT_EQ(strict->key, "");
  EXPECT_THAT(strict.warnings, ElementsAre(R"(unknown key "KEY" is ignored; did you mean "key"?)"));
}

TEST(Keys, UnknownKeysAreNamedWithTheNearest) {
  EXPECT_THAT(parse_demo(R"({"colour":"x","zebra":1,"rnages":[],"ipma":{}})").warnings,
              ElementsAre(R"(unknown key "colour" is ignored; did you mean "color"?)",
                          R"(unknown key "zebra" is ignored)",
                          R"(unknown key "rnages" is ignored; did you mean "ranges"?)",
                          R"(unknown key "ipma" is ignored; did you mean "ipam"?)"));
}

TEST(Keys, AKeyInTheWrongPlaceIsSentToTheRightOne) {
  EXPECT_THAT(
      parse_demo(R"({"ips":[]})").warnings,
      ElementsAre(
          R"(unknown key "ips" is ignored; it is read from runtimeConfig, where a capability puts it)"));
}

TEST(Keys, WellKnownKeysAreNeverUnknown) {
  EXPECT_THAT(
      parse_demo(
          R"({"cniVersion":"1.1.0","cniVersions":[],"name":"n","type":"t","ipam":{"any":1},"dns":{},
    "capabilities":{},"prevResult":{},"runtimeConfig":{},"args":{},"disableCheck":true,"disableGC":true,
    "loadOnlyInlinedPlugins":true,"plugins":[],"chain":"c","cni.dev/attachments":[],"cni.dev/x":1})")
          .warnings,
      IsEmpty());
  EXPECT_EQ(
      parse_demo(R"({"ipam":{"type":"demo","name":"n"}})", Command::add, true).warnings.size(), 1U)
      << "inside ipam only \"type\" is well known";
}

TEST(Keys, WhatBelongsToOthersIsNotJudged) {
  EXPECT_THAT(
      parse_demo(
          R"({"runtimeConfig":{"portMappings":[],"macc":1},"args":{"other":1,"cni":{"foo":1}},
                            "ipam":{"colour":{}},"prevResult":{"foo":1}})")
          .warnings,
      IsEmpty());
}

TEST(Keys, OwnNestedObjectsAreJudged) {
  EXPECT_THAT(
      parse_demo(
          R"({"ranges":[[{"subnet":"10.0.0.0/8","gatway":1}]],"routes":[{"dst":"::/0","via":1}]})")
          .warnings,
      ElementsAre(R"(ranges[0][0]: unknown key "gatway" is ignored; did you mean "gateway"?)",
                  R"(routes[0]: unknown key "via" is ignored)"));
}

TEST(Keys, EvilKeysStayOneShortLine) {
  const std::string key(100000, 'x');
  const auto demo = parse_demo(R"({"a\nb":1,")" + key + R"(":1})");
  ASSERT_EQ(demo.warnings.size(), 2U);
  EXPECT_EQ(demo.warnings[0], R"(unknown key "a\nb" is ignored)");
  EXPECT_LT(demo.warnings[1].size(), 100U);
}

}  // namespace
}  // namespace unicni::options::keys_test
