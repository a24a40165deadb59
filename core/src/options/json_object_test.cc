#include "unicni/json_object.h"

#include <gmock/gmock.h>

#include <ctime>
#include <string>

#include "base/deadline_for_test.h"
#include "options/demo_table_for_test.h"

namespace unicni::options::json_object_test {
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

TEST(RepeatedKey, IsFoundInTheTextThoughTheTreeHasLostIt) {
  EXPECT_EQ(find_repeated_key(R"({"s": {"a": "1", "b": "2", "a": "3"}})", "s"), "a");
  EXPECT_EQ(find_repeated_key(R"({"S": {"a": "1", "\u0061": "3"}})", "s"), "a") << "letter case";
  EXPECT_EQ(find_repeated_key(R"({"s": {"a": "1", "A": "3"}, "t": {"x": 1, "x": 2}})", "s"),
            std::nullopt);
  EXPECT_EQ(find_repeated_key(R"({"s": 5})", "s"), std::nullopt);
  EXPECT_EQ(find_repeated_key("{}", "s"), std::nullopt);
}

TEST(JsonObject, ObjectsOfAHundredThousandMembersTakeNoTimeToSpeakOf) {
  std::string text = "{";
  for (int i = 0; i < 100'000; ++i)
    text += "\"key" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  text += "\"key7\":\"last\"}";
  const std::clock_t begin = std::clock();
  const auto object = JsonObject::parse(text);
  EXPECT_EQ(find_repeated_key("{\"s\":" + text + "}", "s"), "key7");
  EXPECT_LT(std::clock() - begin, 5 * kSlowness * CLOCKS_PER_SEC);
  ASSERT_TRUE(object);
  ASSERT_EQ(object->members().size(), 100'000U);
  EXPECT_EQ(object->members()[7].second, "\"last\"");
}

TEST(JsonObject, FillsTheStructAndIgnoresOtherKeys) {
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

TEST(FreeObject, KeepsMembersAsText) {
  const auto object =
      JsonObject::parse(R"( {"b" : {"x": 1.0}, "a": [ 2 ], "s": "t\u0061", "b": 3} )");
  ASSERT_TRUE(object);
  EXPECT_EQ(*object->find("b"), "3") << "the last of equal keys";
  EXPECT_EQ(*object->find("a"), "[ 2 ]");
  EXPECT_EQ(object->find("A"), nullptr) << "letter case";
  EXPECT_EQ(object->find_string("s"), "ta");
  EXPECT_EQ(object->find_string("a"), std::nullopt);
  EXPECT_EQ(object->str(), R"({"b":3,"a":[ 2 ],"s":"t\u0061"})");
}

TEST(FreeObject, SetReplacesAndADefaultDoesNot) {
  JsonObject object;
  EXPECT_EQ(object.str(), "{}");
  object.set_default("a", "1");
  object.set_default("a", "2");
  object.set("b\"", "null");
  object.set("b\"", "true");
  EXPECT_EQ(object.str(), R"({"a":1,"b\"":true})");
}

TEST(FreeObject, WhatIsNoneIsTold) {
  for (const char* text : {"", "{", "[]", "5", "{} {}", "{\"a\":}"}) {
    EXPECT_FALSE(JsonObject::parse(text)) << text;
  }
}

TEST(FreeObject, ElementsOfAList) {
  EXPECT_THAT(*json_elements(R"([1, {"a": [2, 3]}, "x"])"),
              ElementsAre("1", R"({"a": [2, 3]})", R"("x")"));
  EXPECT_THAT(*json_elements("[]"), IsEmpty());
  EXPECT_FALSE(json_elements("{}"));
  EXPECT_EQ(json_array({"1", "\"x\""}), R"([1,"x"])");
  EXPECT_EQ(json_array({}), "[]");
}

TEST(FreeObjectOption, TakesAnyMembersAndRefusesOtherKinds) {
  const auto free = parse_free(R"({"anything": {"A": 5, "a": [null]}})");
  EXPECT_EQ(free->anything->str(), R"({"A":5,"a":[null]})");
  EXPECT_FALSE(parse_free("{}")->anything);
  EXPECT_THAT(demo::thrown([] { parse_free(R"({"anything": []})"); }),
              HasSubstr("7: anything: an object is expected, not []"));
}

}  // namespace
}  // namespace unicni::options::json_object_test
