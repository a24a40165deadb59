#include "comparable.h"

#include <gtest/gtest.h>

namespace unicni::unictl::comparable_test {
namespace {

TEST(Comparable, NumbersAreEqualByTheirValues) {
  for (const char* text : {"1500", "1.5e3", "1500.0", "15E+2", "150000e-2", "0.15e4"}) {
    EXPECT_EQ(comparable(text), comparable("1500")) << text;
  }
  for (const char* text : {"0", "-0", "0.0", "0e7", "-0.00E-3"}) {
    EXPECT_EQ(comparable(text), comparable("0")) << text;
  }
  for (const char* text : {"-1500", "15000", "1500.5", "150", "\"1500\"", "true", "null"}) {
    EXPECT_NE(comparable(text), comparable("1500")) << text;
  }
  EXPECT_NE(comparable("9007199254740993"), comparable("9007199254740992"))
      << "a double holds neither";
  EXPECT_EQ(comparable("1e99999999999999999999"), comparable("1e99999999999999999999"));
  EXPECT_NE(comparable("-1e99999999999999999999"), comparable("1e99999999999999999999"));
}

TEST(Comparable, KeysHaveNoOrderAndNullIsAbsent) {
  EXPECT_EQ(comparable(R"({"a": 1, "b": {"c": [1, {"d": null}]}, "n": null})"),
            comparable(R"({"b":{"x":null,"c":[1.0,{}]},"a":1e0})"));
  EXPECT_NE(comparable("[1, 2]"), comparable("[2, 1]"));
  EXPECT_NE(comparable("[null]"), comparable("[]"));
  EXPECT_NE(comparable("{}"), comparable("[]"));
}

TEST(Comparable, StringsAreWhatTheySay) {
  EXPECT_EQ(comparable(R"("\u0041\/")"), comparable(R"("A/")"));
  EXPECT_NE(comparable(R"("a")"), comparable(R"("A")"));
  EXPECT_EQ(comparable(R"({"\u0061": 1})"), comparable(R"({"a": 1})"));
}

}  // namespace
}  // namespace unicni::unictl::comparable_test
