#include "option_docs/schema.h"

#include <gmock/gmock.h>

#include "option_docs/readme.h"
#include "options/demo_table_for_test.h"

namespace unicni::option_docs::schema_test {
namespace {

namespace demo = options::demo;
using nlohmann::ordered_json;
using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

ordered_json schema_of(bool ipam) {
  return ordered_json::parse(json_schema("demo", demo::kDemoTable, ipam));
}

TEST(Schema, DescribesOnePluginObject) {
  const auto schema = schema_of(false);
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema["type"], "object");
  EXPECT_EQ(schema["required"], ordered_json::array({"type"}));
  EXPECT_EQ(schema["properties"]["type"]["const"], "demo");
  EXPECT_EQ(schema["properties"]["cniVersion"]["enum"].size(), 7U);
  EXPECT_FALSE(schema.contains("additionalProperties")) << "unknown keys are legal";
}

TEST(Schema, RowsBecomeProperties) {
  const auto schema = schema_of(false);
  const auto& properties = schema["properties"];
  EXPECT_EQ(properties["count"],
            ordered_json::parse(R"({"description":"how many","type":["integer","null"],"minimum":0,
                                                         "maximum":9,"default":4})"));
  EXPECT_EQ(properties["flag"]["default"], false);
  EXPECT_EQ(properties["color"]["enum"], ordered_json::parse(R"(["blue","green",null])"));
  EXPECT_EQ(properties["color"]["default"], "blue");
  EXPECT_EQ(properties["mtu"]["maximum"], 4294967295);
  EXPECT_EQ(properties["gateway"]["anyOf"].size(), 3U) << "v4, v6 or empty";
  EXPECT_EQ(properties["words"]["items"]["type"], "string");
  const auto& range = properties["ranges"]["items"]["items"];
  EXPECT_EQ(range["required"], ordered_json::array({"subnet"}));
  EXPECT_EQ(range["properties"]["subnet"]["type"], "string") << "a required key can't be null";
  EXPECT_EQ(properties["routes"]["items"]["properties"]["scope"]["maximum"], 255);
  EXPECT_EQ(properties["dns"]["properties"]["domain"]["type"],
            ordered_json::array({"string", "null"}));
}

TEST(Schema, WhatIsNotOfferedMayOnlyAskForNothing) {
  const auto schema = schema_of(false);
  EXPECT_EQ(schema["properties"]["trunk"]["enum"], ordered_json::parse("[false,null]"));
  EXPECT_EQ(schema["properties"]["backend"]["enum"],
            ordered_json::parse(R"(["",null,"nftables"])"));
}

TEST(Schema, OtherSourcesHaveTheirSections) {
  const auto schema = schema_of(false);
  EXPECT_TRUE(schema["properties"]["runtimeConfig"]["properties"].contains("ips"));
  EXPECT_TRUE(schema["properties"]["args"]["properties"]["cni"]["properties"].contains("mac"));
  EXPECT_FALSE(schema["properties"].contains("ips"));
}

TEST(Schema, CniArgsAreNoJson) {
  EXPECT_THAT(json_schema("x", demo::kSpokenTable, false), Not(HasSubstr("LOUD")));
}

TEST(Schema, IpamModulesHaveTheirOptionsInside) {
  const auto schema = schema_of(true);
  EXPECT_EQ(schema["required"], ordered_json::parse(R"(["type","ipam"])"));
  EXPECT_EQ(schema["properties"]["ipam"]["required"], ordered_json::array({"type"}));
  EXPECT_EQ(schema["properties"]["ipam"]["properties"]["type"]["const"], "demo");
  EXPECT_TRUE(schema["properties"]["ipam"]["properties"].contains("ranges"));
  EXPECT_FALSE(schema["properties"].contains("ranges"));
  EXPECT_EQ(schema["properties"]["type"]["type"], "string");
}

TEST(Schema, AModuleWithoutOptionsHasASchema) {
  const OptionTable none{nullptr, 0, nullptr, nullptr};
  EXPECT_THAT(json_schema("lo", none, false),
              AllOf(StartsWith("{\n"), EndsWith("}\n"), HasSubstr(R"("const": "lo")")));
}

TEST(Readme, RowsBecomeCells) {
  const std::string text = readme_table(demo::kDemoTable, false);
  EXPECT_THAT(
      text,
      StartsWith(
          "| key | type | default | meaning | error code if wrong |\n|---|---|---|---|---|\n"));
  EXPECT_THAT(text, HasSubstr("\n| `count` | integer from 0 to 9 | `4` | how many | 7 |\n"));
  EXPECT_THAT(text, HasSubstr("\n| `flag` | boolean | `false` | a switch | 7 |\n"));
  EXPECT_THAT(text, HasSubstr("\n| `name2` | string | `as constructed` | a \\| b | 7 |\n"));
  EXPECT_THAT(text, HasSubstr("\n| `words` | list of string | – | some text | 7 |\n"));
  EXPECT_THAT(
      text,
      HasSubstr("\n| `ranges[][].subnet` | address with prefix length | required | network | 7 |"));
  EXPECT_THAT(text, HasSubstr("\n| `dns.domain` | string | – |"));
  EXPECT_THAT(text, HasSubstr("\n| `runtimeConfig.mac` | MAC address | – |"));
  EXPECT_THAT(text, HasSubstr("\n| `args.cni.mac` | MAC address | – |"));
  EXPECT_THAT(text, HasSubstr("\n| `addOnly` | integer | `0` | once (only ADD) |"));
  EXPECT_THAT(text, HasSubstr("\n| `backend` | string | `nftables` | later too | 2 unless the "
                              "default: not offered yet |\n"));
}

TEST(Readme, IpamModulesShowWhereTheKeysGo) {
  const std::string text = readme_table(demo::kDemoTable, true);
  EXPECT_THAT(text, HasSubstr("\n| `ipam.ranges[][].gateway` |"));
  EXPECT_THAT(text, HasSubstr("\n| `runtimeConfig.mac` |"));
}

TEST(Readme, CniArgsHaveTheirOwnErrorCode) {
  EXPECT_THAT(readme_table(demo::kSpokenTable, false),
              HasSubstr("| `LOUD` in `CNI_ARGS` | boolean | `false` | a switch | 4 |"));
}

TEST(Readme, NoOptionsIsSaid) {
  EXPECT_EQ(readme_table(OptionTable{nullptr, 0, nullptr, nullptr}, false),
            "This module has no options.\n");
}

TEST(Schema, OfAMapOfTextsAllowsStringsOnly) {
  const auto schema = ordered_json::parse(json_schema("free", demo::kFreeTable, false));
  EXPECT_EQ(schema["properties"]["settings"]["additionalProperties"]["type"], "string");
}

}  // namespace
}  // namespace unicni::option_docs::schema_test
