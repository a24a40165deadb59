#include "protocol/document.h"

#include <gtest/gtest.h>

#include <ctime>
#include <nlohmann/json.hpp>

#include "protocol/request.h"
#include "unicni/error.h"

namespace unicni::protocol::document_test {
namespace {

using Json = nlohmann::ordered_json;

std::string nested(int depth) {
  return std::string(static_cast<std::size_t>(depth), '[') +
         std::string(static_cast<std::size_t>(depth), ']');
}

std::string refusal(std::string_view text) {
  try {
    parse_document(text, "it");
    return "";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::decode)) << text;
    return error.msg();
  }
}

TEST(Document, KeepsOrderAndKinds) {
  const Json json = parse_document(
      R"( {"z":1,"a":[true,null,-2,18446744073709551615,1.5,"\u00e4\n"],"o":{}} )", "it");
  EXPECT_EQ(json.dump(), R"({"z":1,"a":[true,null,-2,18446744073709551615,1.5,"ä\n"],"o":{}})");
}

TEST(Document, TopLevelScalarsAreDocuments) {
  EXPECT_EQ(parse_document("null", "it"), Json(nullptr));
  EXPECT_EQ(parse_document("\"x\"", "it"), Json("x"));
}

TEST(Document, RefusesWhatIsNoJson) {  // EXEC-13, CONF-29
  for (const std::string_view text :
       {"",         " ",           "{",          "}",       "{} x",    "{}{}",
        "[1,]",     "{\"a\":}",    "{\"a\":1,}", "{'a':1}", "{a:1}",   "01",
        "+1",       "1e999",       "nul",        "[1 2]",   "\"\\x\"", "\"\\ud800\"",
        "// c\n{}", "{\"a\":NaN}", "\"a\tb\""}) {
    EXPECT_NE(refusal(text), "") << text;
  }
}

TEST(Document, RefusesBytesThatAreNotUtf8) {
  for (const std::string_view text : {"\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"",
                                      "\"\xf4\x90\x80\x80\"", "\"\xe2\x82\"", "\xEF\xBB\xBF{}"}) {
    EXPECT_NE(refusal(text), "") << text;
  }
}

TEST(Document, RefusesNulBytesInsteadOfStoppingThere) {
  using namespace std::string_view_literals;
  EXPECT_EQ(refusal("{}\0garbage"sv), "cannot decode it: a NUL byte at offset 2");
  EXPECT_NE(refusal("\0"sv), "");
}

TEST(Document, NestingLimit) {
  EXPECT_EQ(refusal(nested(kNestingLimit)), "");
  EXPECT_EQ(refusal(nested(kNestingLimit + 1)), "cannot decode it: nested deeper than 256 levels");
  EXPECT_NE(refusal(std::string(500000, '[')), "");
  std::string objects;
  for (int i = 0; i <= kNestingLimit; ++i) objects += "{\"a\":";
  EXPECT_EQ(refusal(objects), "cannot decode it: nested deeper than 256 levels");
}

TEST(Document, LastOfEqualKeysWins) {  // CONF-29
  EXPECT_EQ(parse_document(R"({"a":1,"b":2,"a":3})", "it").dump(), R"({"b":2,"a":3})");
  EXPECT_EQ(parse_document(R"({"a":{"x":1,"x":[2],"x":{}},"\u0061":4})", "it").dump(),
            R"({"a":4})");
  std::string many = "{";
  for (int i = 0; i < 100; ++i)
    many += "\"k" + std::to_string(i % 50) + "\":" + std::to_string(i) + ',';
  many.back() = '}';
  const Json json = parse_document(many, "it");
  ASSERT_EQ(json.size(), 50U);
  EXPECT_EQ(json["k0"], 50);
  EXPECT_EQ(json["k49"], 99);
}

std::string many_keys(int count) {
  std::string text = "{";
  for (int i = 0; i < count; ++i) text += "\"k" + std::to_string(i) + "\":0,";
  text.back() = '}';
  return text;
}

TEST(Document, ManyKeysAreNotQuadratic) {
  // Processor time, which other load on the machine doesn't stretch.
  const auto cost = [](int count) {
    const std::string text = many_keys(count);
    const std::clock_t begin = std::clock();
    EXPECT_EQ(parse_document(text, "it").size(), static_cast<std::size_t>(count));
    return std::clock() - begin;
  };
  EXPECT_LT(cost(100000), 40 * (cost(10000) + CLOCKS_PER_SEC / 1000));
}
TEST(Document, HugeTokensStayOutOfMessages) {
  EXPECT_LT(refusal("\"" + std::string(100000, 'x')).size(), 400U);
}

TEST(Document, FieldsInAnyLetterCase) {  // as the reference
  const Json json = parse_document(R"({"NAME":"up","Name":"mixed","x":null,"X":1})", "it");
  EXPECT_EQ(*find_field(json, "name"), "mixed");
  EXPECT_EQ(*find_field(json, "NAME"), "up");
  EXPECT_EQ(find_field(json, "x"), nullptr);  // null, exactly spelled, wins over X
  EXPECT_EQ(find_field(json, "nam"), nullptr);
  EXPECT_EQ(find_field(Json::array(), "name"), nullptr);
  EXPECT_EQ(find_exact(json, "name"), nullptr);
  EXPECT_TRUE(find_exact(json, "x")->is_null());
}

TEST(Document, SplitsObjects) {
  const auto members = split_object(
      " { \"a\" : 1.0 , \"b,}\":\"x\\\"]}\",\"\\u0063\": {\"y\":[1,{}]} ,\"d\":[],\"a\":-2e3}");
  ASSERT_EQ(members.size(), 5U);
  EXPECT_EQ(members[0].key, "a");
  EXPECT_EQ(members[0].value, "1.0");
  EXPECT_EQ(members[0].whole, "\"a\" : 1.0");
  EXPECT_EQ(members[1].key, "b,}");
  EXPECT_EQ(members[1].value, "\"x\\\"]}\"");
  EXPECT_EQ(members[2].key, "c");
  EXPECT_EQ(members[2].value, "{\"y\":[1,{}]}");
  EXPECT_EQ(members[3].value, "[]");
  EXPECT_EQ(members[4].value, "-2e3");
  EXPECT_TRUE(split_object("{}").empty());
  EXPECT_TRUE(split_object(" { } ").empty());
}

TEST(Document, SplitsArrays) {
  const auto elements = split_array("[ {\"a\":\"]\"} ,2 , \"x,\" ,[3,[4]],null]");
  ASSERT_EQ(elements.size(), 5U);
  EXPECT_EQ(elements[0], "{\"a\":\"]\"}");
  EXPECT_EQ(elements[1], "2");
  EXPECT_EQ(elements[2], "\"x,\"");
  EXPECT_EQ(elements[3], "[3,[4]]");
  EXPECT_EQ(elements[4], "null");
  EXPECT_TRUE(split_array(" [ ] ").empty());
}

TEST(Document, QuoteReplacesBadBytes) {
  EXPECT_EQ(quote("a\"\n"), "\"a\\\"\\n\"");
  EXPECT_EQ(quote("x\xff"), "\"x\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace unicni::protocol::document_test
