#include "document/typed.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "document/tree_for_test.h"
#include "options/demo_table_for_test.h"

namespace unicni::document::typed_test {
namespace {

using options::Neighbours;

struct Outcome {
  std::string json;
  std::vector<Finding> findings;
};

Outcome typed(const std::string& text, const OptionTable& table = options::demo::kDemoTable,
              Neighbours neighbours = Neighbours::none) {
  const Document document = read(text, "f");
  Outcome outcome;
  outcome.json = TypedWriter(document.syntax, outcome.findings)
                     .object(table, OptionSource::config, neighbours, *document.root, "");
  return outcome;
}

/// The JSON of a file in which nothing is to be found.
std::string json_of(const std::string& text, const OptionTable& table = options::demo::kDemoTable) {
  const Outcome outcome = typed(text, table);
  for (const Finding& finding : outcome.findings) ADD_FAILURE() << finding.line("f");
  return outcome.json;
}

/// The only finding, with its place and details.
std::string finding_of(const std::string& text, FindingKind kind = FindingKind::wrong_value,
                       const OptionTable& table = options::demo::kDemoTable) {
  const Outcome outcome = typed(text, table);
  if (outcome.findings.size() != 1) return std::to_string(outcome.findings.size()) + " findings";
  EXPECT_EQ(outcome.findings[0].kind, kind);
  return outcome.findings[0].line("f");
}

TEST(Typed, TheOptionDecidesWhatAPlainScalarIs) {
  EXPECT_EQ(json_of("flag: no"), R"({"flag":false})");
  EXPECT_EQ(json_of("name2: no"), R"({"name2":"no"})");
  EXPECT_EQ(json_of("maybe: 0x1"), R"({"maybe":1})");
  EXPECT_EQ(json_of("name2: 0x1"), R"({"name2":"0x1"})");
  EXPECT_EQ(json_of("maybe: 1_000"), R"({"maybe":1000})");
  EXPECT_EQ(json_of("name2: 1_000"), R"({"name2":"1_000"})");
  EXPECT_EQ(json_of("{maybe: 1.0, mtu: 1e3, name2: 1.0}"),
            R"({"maybe":1.0,"mtu":1e3,"name2":"1.0"})");
  EXPECT_EQ(json_of("words: [no, 1, true, 1.10, 'x']"),
            R"({"words":["no","1","true","1.10","x"]})");
  EXPECT_EQ(json_of("gateway: 10.0.0.1"), R"({"gateway":"10.0.0.1"})");
  EXPECT_EQ(json_of("ranges:\n- - subnet: 10.0.0.0/8\n    weight: 0x10\n"),
            R"({"ranges":[[{"subnet":"10.0.0.0/8","weight":16}]]})");
}

TEST(Typed, WhatIsEmptyIsNullWhateverTheOptionIs) {
  EXPECT_EQ(json_of("{flag: , name2: ~, words: null, ranges: , maybe: NULL}"),
            R"({"flag":null,"name2":null,"words":null,"ranges":null,"maybe":null})");
  EXPECT_EQ(json_of("name2: '~'"), R"({"name2":"~"})");
}

TEST(Typed, TextsInFreePlacesAreTexts) {
  EXPECT_EQ(
      json_of("settings: {net.core.somaxconn: 0x10, a: no, b: 1.0}", options::demo::kFreeTable),
      R"({"settings":{"net.core.somaxconn":"0x10","a":"no","b":"1.0"}})");
  EXPECT_EQ(json_of("anything: {a: no, b: 0x10, c: [True, 1.0, ~]}", options::demo::kFreeTable),
            R"({"anything":{"a":"no","b":16,"c":[true,1.0,null]}})");
}

TEST(Typed, QuotedScalarsAreStringsEverywhere) {
  EXPECT_EQ(finding_of("flag: 'no'"), "f:1:7: flag: true or false is expected, not \"no\"");
  EXPECT_EQ(finding_of("maybe: \"1\"").substr(0, 14), "f:1:8: maybe: ");
}

TEST(Typed, InJsonValuesAreWhatTheySay) {
  EXPECT_EQ(json_of(R"({"flag": true, "name2": "no", "maybe": 1.0})"),
            R"({"flag":true,"name2":"no","maybe":1.0})");
  EXPECT_EQ(finding_of(R"({"name2": 5})"), "f:1:11: name2: a string is expected, not 5");
  EXPECT_EQ(finding_of(R"({"flag": 0})"), "f:1:10: flag: true or false is expected, not 0");
}

TEST(Typed, WrongValuesHavePlacePathAndWhatIsAllowed) {
  EXPECT_EQ(finding_of("flag: maybe"), "f:1:7: flag: true or false is expected, not maybe");
  EXPECT_EQ(finding_of("mtu: 010").substr(0, 12), "f:1:6: mtu: ");
  EXPECT_EQ(finding_of("ranges:\n  - []\n  - - subnet: 10.0.0.0/8\n    - subnet: x/8\n"),
            "f:4:15: ranges[1][1].subnet: an address with prefix length such as \"10.1.2.3/24\" or "
            "\"fd00::3/64\" is expected, not x/8");
  EXPECT_EQ(finding_of("words: a"), "f:1:8: words: a list is expected, not a");
  EXPECT_EQ(finding_of("words: [a, ~]"), "f:1:12: words[1]: a string is expected, not ~");
  EXPECT_EQ(finding_of("words: [a, {}]"), "f:1:12: words[1]: a string is expected, not an object");
  EXPECT_EQ(finding_of("dns: []"), "f:1:6: dns: an object is expected, not a list");
  EXPECT_EQ(finding_of("settings: {a: [b]}", FindingKind::wrong_value, options::demo::kFreeTable),
            "f:1:15: settings.a: a string is expected, not a list");
  EXPECT_EQ(typed("flag: maybe").findings.at(0).details.empty(), false);
}

TEST(Typed, UnknownKeysHaveTheNearestKnownOne) {
  EXPECT_EQ(finding_of("name2: x\nnmae2: y\n", FindingKind::unknown_key),
            "f:2:1: nmae2: unknown key; did you mean \"name2\"?");
  EXPECT_EQ(finding_of("dns: {nameserver: []}", FindingKind::unknown_key),
            "f:1:7: dns.nameserver: unknown key; did you mean \"nameservers\"?");
  EXPECT_EQ(finding_of("qqqqqqqq: 1", FindingKind::unknown_key), "f:1:1: qqqqqqqq: unknown key");
  EXPECT_EQ(finding_of("\"a\\e[1m\": 1", FindingKind::unknown_key),
            "f:1:1: \"a\\u001b[1m\": unknown key");
}

TEST(Typed, UnknownKeysKeepTheirValues) {
  EXPECT_EQ(typed("x: {y: [no, 1.0, 0x1]}").json, R"({"x":{"y":["no",1.0,1]}})");
}

TEST(Typed, AnotherLetterCaseIsReadAsTheExecutableReadsIt) {
  EXPECT_EQ(finding_of("Flag: no", FindingKind::letter_case),
            "f:1:1: Flag: this key is taken for \"flag\"; write it in this letter case");
  EXPECT_EQ(typed("Flag: no").json, R"({"Flag":false})");
  EXPECT_EQ(finding_of("flag: no\nFlag: no", FindingKind::letter_case),
            "f:2:1: Flag: another key is \"flag\"; write it in this letter case");
  EXPECT_EQ(finding_of("needed: x\nKey: y", FindingKind::unknown_key, options::demo::kStrictTable),
            "f:2:1: Key: unknown key; did you mean \"key\"?");
}

TEST(Typed, MissingKeysAreMissedWhereTheyBelong) {
  EXPECT_EQ(finding_of("key: x", FindingKind::missing_key, options::demo::kStrictTable),
            "f:1:1: needed: missing, a string is needed");
  EXPECT_EQ(finding_of("routes:\n- gw: 10.0.0.1\n", FindingKind::missing_key).substr(0, 30),
            "f:2:3: routes[0].dst: missing,");
}

}  // namespace
}  // namespace unicni::document::typed_test
