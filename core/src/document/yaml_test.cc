#include "document/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "document/tree_for_test.h"

namespace unicni::document::yaml_test {
namespace {

TEST(Yaml, EveryNodeHasItsPlace) {
  EXPECT_EQ(yaml("# comment\nä: ö\nlist:\n  - 1\n  - {x: 'y', \"z\": [ ]}\n", true),
            "{ä@2:1: ö@2:4, list@3:1: [1@4:5, {x@5:6: \"y\"@5:9, \"z\"@5:14: []@5:19}@5:5]@4:3}"
            "@2:1");
}

const std::string kKey = "a key is a text; perhaps a { or [ before it isn't closed";

/// The library's words are those of who writes a parser.
TEST(Yaml, WhatIsNoYamlIsToldInWordsOfWhoWritesIt) {
  const struct {
    const char* text;
    const char* advice;
  } rows[] = {
      {"a:\n\t- b\n", "YAML is indented by spaces, not by tabs"},
      {"a:\n  b: 1\n\tc: 2\n", "YAML is indented by spaces, not by tabs"},
      {"a:\n  - b\n c: d\n", "this line begins in another one"},
      {"a: *nope\n", "*nope repeats what stands behind &nope, which isn't above it"},
      {"- *nope\n", "*nope repeats what stands behind &nope"},
      {"- a: {b: 1\n- c: 2\n", "a { above is closed by nothing"},
      {"a: b: c\n", "stands in quotes"},
      {"a: 1\na: 2\n", "it stands at f:1:1 already; keep one of them"},
  };
  for (const auto& row : rows) {
    EXPECT_THAT(yaml_refusal(row.text), ::testing::HasSubstr(row.advice)) << row.text;
  }
}

TEST(Yaml, NothingIsGuessedOfAPlainScalar) {
  EXPECT_EQ(yaml("[no, 0x1, 1_000, 1.0, 1e3, ~, null, True, 0o17, 010, 12:30:00, 2024-01-01]"),
            "[no, 0x1, 1_000, 1.0, 1e3, ~, null, True, 0o17, 010, 12:30:00, 2024-01-01]");
}

TEST(Yaml, QuotedBlockAndTaggedScalarsAreTexts) {
  EXPECT_EQ(yaml("- 'no'\n- \"0x1\"\n- !!str 1\n- ! 2\n- |\n  b\n- >-\n  c\n- !!str\n"),
            "[\"no\", \"0x1\", \"1\", \"2\", \"b\n\", \"c\", \"\"]");
}

TEST(Yaml, WhatIsLeftEmptyHasThePlaceOfItsKey) {
  EXPECT_EQ(yaml("a:\nb: ~\nc: &x\nd: [null, &y Null]\n? e\n", true),
            "{a@1:1: @1:1, b@2:1: ~@2:4, c@3:1: @3:1, d@4:1: [null@4:5, Null@4:11]@4:4, e@5:3: "
            "@5:3}@1:1");
}

TEST(Yaml, WhatIsLeftEmptyIsNotTheNextKey) {
  EXPECT_EQ(yaml("a:\nnull: 1\n", true), "{a@1:1: @1:1, null@2:1: 1@2:7}@1:1");
  EXPECT_EQ(yaml("a:\n~ : 1\n", true), "{a@1:1: @1:1, ~@2:1: 1@2:5}@1:1");
  EXPECT_EQ(yaml("a:\nnullable: 1\nb: null # c\n", true),
            "{a@1:1: @1:1, nullable@2:1: 1@2:11, b@3:1: null@3:4}@1:1");
  EXPECT_EQ(yaml("[null: ~, {~}]"), "[{null: ~}, {~: }]");
}

TEST(Yaml, KeysAreTextsWhateverTheyLookLike) {
  EXPECT_EQ(yaml("1: a\nno: b\nnull: c\n~: d\n\"\": e\nx y: f\n"),
            "{1: a, no: b, null: c, ~: d, \"\": e, x y: f}");
}

TEST(Yaml, LinesMayEndInBoth) {
  EXPECT_EQ(yaml("a: x\r\nb: y\r\n", true), "{a@1:1: x@1:4, b@2:1: y@2:4}@1:1");
  EXPECT_EQ(yaml_refusal("a: x\rb: y"),
            "f:1:5: a carriage return without a line feed | lines end in a line feed, or in both");
}

TEST(Yaml, AnAliasIsItsAnchorWithItsPlace) {
  EXPECT_EQ(yaml("a: &x {k: [1]}\nb: *x\nc: [*x , &y 2, *y ]\n*y : z\n", true),
            "{a@1:1: {k@1:8: [1@1:12]@1:11}@1:4, b@2:1: {k@1:8: [1@1:12]@1:11}@1:4, "
            "c@3:1: [{k@1:8: [1@1:12]@1:11}@1:4, 2@3:10, 2@3:10]@3:4, 2@4:1: z@4:6}@1:1");
}

TEST(Yaml, AnAnchorMayBeGivenAgain) {
  EXPECT_EQ(yaml("[&x 1, *x , &x 2, *x ]"), "[1, 1, 2, 2]");
  // yaml-cpp says the name as well from 0.8 on.
  EXPECT_THAT(yaml_refusal("[*x ]"),
              testing::MatchesRegex("f:1:2: the referenced anchor is not defined(: x)? [|] [*]x "
                                    "repeats what stands behind &x, which isn't above it"));
}

TEST(Yaml, AMergeKeyBringsMembersThatTheMapHasNot) {
  EXPECT_EQ(yaml("base: &b {a: 1, b: 2}\nx:\n  b: own\n  <<: *b\n  c: 3\n"),
            "{base: {a: 1, b: 2}, x: {b: own, a: 1, c: 3}}");
  EXPECT_EQ(yaml("x:\n  <<: {a: 1, b: 2}\n  b: own\n"), "{x: {a: 1, b: own}}");
}

TEST(Yaml, OfSeveralMergedMapsTheFirstCounts) {
  EXPECT_EQ(yaml("- &b {a: 1, b: 2}\n- &c {b: 3, c: 4}\n- {<<: [*b , *c , {d: 5}], d: 6}\n"),
            "[{a: 1, b: 2}, {b: 3, c: 4}, {a: 1, b: 2, c: 4, d: 6}]");
}

TEST(Yaml, AMergedMapMayHaveMergedItself) {
  EXPECT_EQ(yaml("- &a {x: 1, y: 1}\n- &b {<<: *a , y: 2}\n- {<<: *b , z: 3}\n"),
            "[{x: 1, y: 1}, {x: 1, y: 2}, {x: 1, y: 2, z: 3}]");
}

TEST(Yaml, AMergeKeyTakesMapsOnly) {
  const std::string advice =
      " | an object or a list of objects is expected, mostly aliases; a key that is called << "
      "stands "
      "in quotes";
  EXPECT_EQ(yaml_refusal("a:\n  <<: 1\n"), "f:2:3: a: the merge key << names 1" + advice);
  EXPECT_EQ(yaml_refusal("a:\n  <<: [{}, no]\n"), "f:2:3: a: the merge key << names no" + advice);
  EXPECT_EQ(yaml_refusal("<<:\n"), "f:1:1: the merge key << names nothing" + advice);
}

TEST(Yaml, AMergeKeyInQuotesIsAKey) {
  EXPECT_EQ(yaml("\"<<\": 1\n<<: {a: 2}\n"), "{\"<<\": 1, a: 2}");
}

TEST(Yaml, EqualKeysAreRefusedWithBothPlaces) {
  EXPECT_EQ(yaml_refusal("p:\n  - a: 1\n    b: 2\n    \"a\": 3\n"),
            "f:4:5: p[0]: the key \"a\" stands twice | it stands at f:2:5 already; keep one of "
            "them");
  EXPECT_EQ(yaml_refusal("<<: {a: 1}\nb: 2\n<<: {c: 1}\n"),
            "f:3:1: the key \"<<\" stands twice | it stands at f:1:1 already; keep one of them");
}

TEST(Yaml, OneDocumentAndNothingAfterIt) {
  const std::string advice =
      ": a second document, or text after the first | a file holds one YAML document, and nothing "
      "after it";
  EXPECT_EQ(yaml("%YAML 1.2\n---\na: 1\n...\n# end\n"), "{a: 1}");
  EXPECT_EQ(yaml_refusal("a: 1\n---\nb: 2\n"), "f:2:1" + advice);
  EXPECT_EQ(yaml_refusal("a: 1\n---\n"), "f:2:1" + advice);
  EXPECT_EQ(yaml_refusal("a: 1\n...\nfoo\n"), "f:3:1" + advice);
  EXPECT_EQ(yaml_refusal("{a: 1} foo\n"), "f:1:8" + advice);
  EXPECT_EQ(yaml_refusal("{a: 1}\n{b: 2}\n"), "f:2:1" + advice);
  EXPECT_EQ(yaml_refusal("\"a\" b"), "f:1:5" + advice);
}

TEST(Yaml, AFileWithoutAValueIsRefused) {
  for (const char* text : {"", "# only\n", "---\n", "%YAML 1.2\n", " \n"}) {
    EXPECT_EQ(yaml_refusal(text).substr(0, 31), "f:1:1: the file holds no value ") << text;
  }
}

TEST(Yaml, AnAliasInsideOfItsAnchorIsRefused) {
  const std::string advice =
      ": an alias stands inside of what it stands for | what an anchor (&) names must be complete "
      "before an alias (*) repeats it";
  EXPECT_EQ(yaml_refusal("&a [*a ]"), "f:1:5: [0]" + advice);
  EXPECT_EQ(yaml_refusal("a: &a\n  b: {c: *a }\n"), "f:2:10: a.b.c" + advice);
  EXPECT_EQ(yaml_refusal("a: &a\n  <<: *a\n"), "f:2:7: a.<<" + advice);
  EXPECT_EQ(yaml_refusal("&a {*a : 1}").substr(0, 7), "f:1:5: ");
}

TEST(Yaml, AliasesAreExpandedToALimitOnly) {
  std::string laughs = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i <= 9; ++i) {
    const std::string last = "*l" + std::to_string(i - 1) + " ";
    std::string line = 'l' + std::to_string(i) + ": &l" + std::to_string(i) + " [" + last;
    for (int k = 1; k < 10; ++k) line += ", " + last;
    laughs += line + "]\n";
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(yaml_refusal(laughs),
            "f:5:52: l4[7]: more than 100000 values | an alias counts as all the values that it "
            "stands for");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
}

TEST(Yaml, RepeatedTextsAreLimitedToo) {
  std::string text = "- &a " + std::string(1U << 19U, 'x') + '\n';
  for (int i = 0; i < 3; ++i) text += "- *a\n";
  EXPECT_NO_THROW(read_yaml(Source("f", text)));
  EXPECT_EQ(yaml_refusal(text + "- *a\n").substr(0, 47),
            "f:5:3: [4]: more than 2097152 bytes of text | a");
}

TEST(Yaml, ValuesWithoutAliasesAreLimitedToo) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "- 1\n";
  EXPECT_EQ(yaml_refusal(text).substr(0, 47), "f:100000:3: [99999]: more than 100000 values | ");
}

TEST(Yaml, DepthIsLimited) {
  EXPECT_EQ(yaml(std::string(64, '[') + std::string(64, ']')).size(), 128U);
  const std::string advice = "nested deeper than 64 levels | lists and objects in each other count";
  std::string path;
  for (int i = 0; i < 64; ++i) path += "[0]";
  EXPECT_EQ(yaml_refusal(std::string(65, '[') + std::string(65, ']')),
            "f:1:65: " + path + ": " + advice);
  // The library takes brackets that don't end for keys.
  EXPECT_EQ(yaml_refusal(std::string(100'000, '[')), "f:1:1: a key is a list | " + kKey);
  std::string block;
  for (int i = 0; i < 1000; ++i) block += "- ";
  EXPECT_EQ(yaml_refusal(block + "x"), "f:1:129: " + path + ": " + advice);
}

TEST(Yaml, DepthCountsThroughAliases) {
  const std::string inner = std::string(40, '[') + std::string(40, ']');
  EXPECT_NO_THROW(read_yaml(Source(
      "f", "- &a " + inner + "\n- " + std::string(23, '[') + "*a " + std::string(23, ']') + "\n")));
  EXPECT_NE(yaml_refusal("- &a " + inner + "\n- " + std::string(24, '[') + "*a " +
                         std::string(24, ']') + "\n")
                .find("nested deeper than 64 levels | an alias counts as what it stands for"),
            std::string::npos);
}

TEST(Yaml, OtherTagsThanStringsAreRefused) {
  const std::string advice =
      " | !!str is allowed in front of a text; of what type other values are, their keys decide";
  EXPECT_EQ(yaml("a: !<tag:yaml.org,2002:str> no"), "{a: \"no\"}");
  EXPECT_EQ(yaml_refusal("a: !!int \"1\""),
            "f:1:4: a: the tag \"!!int\" is not allowed here" + advice);
  EXPECT_EQ(yaml_refusal("a: !foo b"), "f:1:4: a: the tag \"!foo\" is not allowed here" + advice);
  EXPECT_EQ(yaml_refusal("a: !!python/object:os.system x").substr(0, 14), "f:1:4: a: the ");
  EXPECT_EQ(yaml_refusal("!!set {a: 1}"), "f:1:1: the tag \"!!set\" is not allowed here" + advice);
  EXPECT_EQ(yaml_refusal("a: !!str [b]"),
            "f:1:4: a: the tag \"!!str\" is not allowed here" + advice);
  EXPECT_EQ(yaml_refusal("%TAG ! tag:x,1:\n---\n!y z\n"),
            "f:3:1: the tag \"tag:x,1:y\" is not allowed here" + advice);
}

TEST(Yaml, AKeyIsATextThatIsThere) {
  EXPECT_EQ(yaml_refusal("? [a]\n: 1\n"), "f:1:3: a key is a list | " + kKey);
  EXPECT_EQ(yaml_refusal("x: {{a: 1}: 2}"), "f:1:5: x: a key is an object | " + kKey);
  EXPECT_EQ(yaml_refusal("- &x [1]\n- *x : 2\n"), "f:2:3: [1]: a key is a list | " + kKey);
  for (const char* text : {"{a: 1,, b: 2}", "{,}", ": 1\n"}) {
    EXPECT_NE(yaml_refusal(text).find(": a key is missing | "), std::string::npos) << text;
  }
  EXPECT_EQ(yaml_refusal("[1,,2]"),
            "f:1:4: [1]: an element is missing | between commas a value is expected");
  EXPECT_EQ(yaml_refusal("[,1]").substr(0, 28), "f:1:2: [0]: an element is mi");
}

/// The library takes the end of the file for the missing quote, and the rules behind it for text.
TEST(Yaml, AQuoteThatNothingClosesIsRefusedWhereItOpens) {
  struct Case {
    const char* before;
    const char* after;
    const char* place;
  };
  constexpr Case kPlaces[] = {
      {"a: x\nb: ", "\nc: 1\nd: {e: 2}\n", "f:2:4"},
      {"- ", "\n- 1\n", "f:1:3"},
      {"a: [1, ", "]\nb: 2\n", "f:1:8"},
      {"a: !!str ", "\nb: 1\n", "f:1:10"},
      {"a: &x ", "\nb: 1\n", "f:1:7"},
      {"a: &x # note\n  # and another\n  ", "\nb: 1\n", "f:3:3"},
      {"a: 1\r\nb: ", "\r\nc: 1\r\n", "f:2:4"},
      {"", ": 1\n", "f:1:1"},
  };
  struct Quoted {
    const char* open;
    const char* closed;
  };
  constexpr Quoted kTexts[] = {
      {R"("x)", R"("x")"},     {R"('x)", R"('x')"},   {R"("x\")", R"("x\"")"},
      {R"('x'')", R"('x''')"}, {R"("x')", R"("x'")"}, {R"('x\")", R"('x\"')"},
      {R"(")", R"("")"},       {R"(')", R"('')"},     {R"("x\\\")", R"("x\\")"},
  };
  for (const Case& each : kPlaces) {
    for (const Quoted& text : kTexts) {
      const std::string open = std::string(each.before) + text.open + each.after;
      const std::string refusal = yaml_refusal(open);
      EXPECT_EQ(refusal.substr(0, refusal.find(" that")),
                std::string(each.place) + ": a quote " + text.open[0])
          << open;
      const std::string closed = std::string(each.before) + text.closed + each.after;
      EXPECT_NO_THROW(read_yaml(Source("f", closed))) << closed;
    }
  }
}

TEST(Yaml, AQuoteThatNothingClosesIsRefusedByTheLibraryWhereThatIsSeenFirst) {
  EXPECT_EQ(yaml_refusal("a: \"x"),
            "f:1:6: illegal EOF in scalar | a quoted text ends with the quote that it began with");
  EXPECT_EQ(yaml_refusal("a: 'x"),
            "f:1:6: illegal EOF in scalar | a quoted text ends with the quote that it began with");
  EXPECT_EQ(yaml_refusal("{a: [1, \"x], b: 2}\n"), "f:1:1: a key is an object | " + kKey);
}

TEST(Yaml, WhatIsNoYamlIsRefusedWithItsPlace) {
  EXPECT_EQ(yaml_refusal("a: 1\nä: b: c\n"),
            "f:2:5: illegal map value | a text that has \": \" in it stands in quotes");
  EXPECT_EQ(yaml_refusal("a: [1\n").substr(0, 4), "f:2:");
  EXPECT_EQ(yaml_refusal("a: @b").substr(0, 21), "f:1:4: unknown token ");
  EXPECT_EQ(yaml_refusal("ä: \"\\ud83d\\ude00\"").substr(0, 22), "f:1:11: invalid unicod");
  EXPECT_EQ(yaml("\"\\U0001F600\""), "\"😀\"");
}

}  // namespace
}  // namespace unicni::document::yaml_test
