#include <gmock/gmock.h>

#include "options/demo_table_for_test.h"

namespace unicni::options {
namespace {

using demo::Free;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

demo::Outcome<Free> parse_free(const std::string& json, Command command = Command::add) {
  return demo::parse_as<Free>(demo::kFreeTable, json, command);
}

TEST(TextMapOption, KeepsKeysAndTheirOrder) {
  const auto free = parse_free(R"({"settings": {"b.c": "1", "A": "", "a": "x y"}})");
  EXPECT_THAT(free->settings, ElementsAre(Pair("b.c", "1"), Pair("A", ""), Pair("a", "x y")));
  EXPECT_FALSE(free->maybe);
  EXPECT_THAT(free.warnings, IsEmpty());
  EXPECT_THAT(parse_free(R"({"maybe": {}})")->maybe.value(), IsEmpty());
}

TEST(TextMapOption, OtherValuesAreRefusedByPath) {
  const auto refusal = [](const char* json) { return demo::thrown([&] { parse_free(json); }); };
  EXPECT_EQ(refusal(R"({"settings": {"a": 5}})"), "7: settings.a: a string is expected, not 5");
  EXPECT_THAT(refusal(R"({"settings": []})"), HasSubstr("an object of strings is expected"));
  const auto on_del = parse_free(R"({"settings": {"a": 5, "b": "1"}})", Command::del);
  EXPECT_THAT(on_del->settings, ElementsAre(Pair("b", "1")));
  EXPECT_THAT(on_del.warnings, ElementsAre(HasSubstr("settings.a")));
}

TEST(TextMapOption, SchemaAllowsStringsOnly) {
  const auto schema = nlohmann::ordered_json::parse(json_schema("free", demo::kFreeTable, false));
  EXPECT_EQ(schema["properties"]["settings"]["additionalProperties"]["type"], "string");
}

TEST(RepeatedKey, IsFoundInTheTextThoughTheTreeHasLostIt) {
  EXPECT_EQ(find_repeated_key(R"({"s": {"a": "1", "b": "2", "a": "3"}})", "s"), "a");
  EXPECT_EQ(find_repeated_key(R"({"S": {"a": "1", "\u0061": "3"}})", "s"), "a") << "letter case";
  EXPECT_EQ(find_repeated_key(R"({"s": {"a": "1", "A": "3"}, "t": {"x": 1, "x": 2}})", "s"),
            std::nullopt);
  EXPECT_EQ(find_repeated_key(R"({"s": 5})", "s"), std::nullopt);
  EXPECT_EQ(find_repeated_key("{}", "s"), std::nullopt);
}

TEST(JsonObject, FillsTheStructAndIgnoresStrangers) {
  Free free;
  EXPECT_TRUE(read_json_object(R"({"count": 3, "other": [], "settings": {"a": "b"}})",
                               demo::kFreeTable, &free));
  EXPECT_EQ(free.count, 3);
  EXPECT_THAT(free.settings, ElementsAre(Pair("a", "b")));
}

TEST(JsonObject, WhatIsNoneIsTold) {
  for (const char* text : {"", "{", "[]", "5", R"({"count": "x"})", "{} {}"}) {
    Free free;
    EXPECT_FALSE(read_json_object(text, demo::kFreeTable, &free)) << text;
  }
}

TEST(JsonText, IsQuoted) { EXPECT_EQ(json_text("a\"b\n"), R"("a\"b\n")"); }

}  // namespace
}  // namespace unicni::options
