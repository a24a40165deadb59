#include "document/plain.h"

#include <gtest/gtest.h>

namespace unicni::document::plain_test {
namespace {

TEST(Plain, BooleansHaveThreeSpellings) {
  for (const char* text : {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"}) {
    EXPECT_EQ(plain_boolean(text), "true") << text;
  }
  for (const char* text : {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"}) {
    EXPECT_EQ(plain_boolean(text), "false") << text;
  }
  for (const char* text : {"", "y", "n", "1", "0", "tRue", "yES", "nope", "~"}) {
    EXPECT_EQ(plain_boolean(text), std::nullopt) << text;
  }
}

TEST(Plain, IntegersKeepTheirDigits) {
  for (const char* text : {"0", "-0", "1500", "-7", "1.0", "1e3", "1.50E+2", "9007199254740993",
                           "18446744073709551616"}) {
    EXPECT_EQ(plain_integer(text), text);
  }
  EXPECT_EQ(plain_integer("+5"), "5");
  EXPECT_EQ(plain_integer("1_000_000"), "1000000");
  EXPECT_EQ(plain_integer("0x1"), "1");
  EXPECT_EQ(plain_integer("0xFF"), "255");
  EXPECT_EQ(plain_integer("0x7fff_ffff"), "2147483647");
  EXPECT_EQ(plain_integer("0o17"), "15");
  EXPECT_EQ(plain_integer("0xffffffffffffffff"), "18446744073709551615");
}

TEST(Plain, WhatMayBeTwoIntegersIsNone) {
  for (const char* text : {"010", "-010", "00",  "0x",    "0xg",   "0x10000000000000000",
                           "0o8", "_1",   "1_",  "1__0",  "1_a",   "",
                           "-",   "+",    "1 0", "12:30", "ten",   "1e",
                           ".",   "~",    "0b1", "1,000", "1e999", "--1",
                           "+-1", "0x-1", "0x+1"}) {
    EXPECT_EQ(plain_integer(text), std::nullopt) << text;
  }
}

TEST(Plain, ElsewhereTheCoreSchemaDecides) {
  for (const char* text : {"", "~", "null", "Null", "NULL"}) EXPECT_EQ(plain_json(text), "null");
  for (const char* text : {"true", "True", "TRUE"}) EXPECT_EQ(plain_json(text), "true");
  for (const char* text : {"false", "False", "FALSE"}) EXPECT_EQ(plain_json(text), "false");
  for (const char* text : {"0", "-19", "1.0", "1e3", "-2E-05", "123456789012345678901234567890"}) {
    EXPECT_EQ(plain_json(text), text);
  }
  EXPECT_EQ(plain_json("+12e03"), "12e03");
  EXPECT_EQ(plain_json("010"), "10");
  EXPECT_EQ(plain_json("-00.50"), "-0.50");
  EXPECT_EQ(plain_json(".5"), "0.5");
  EXPECT_EQ(plain_json("1."), "1.0");
  EXPECT_EQ(plain_json("0o7"), "7");
  EXPECT_EQ(plain_json("0x3A"), "58");
  for (const char* text :
       {"no",         "yes",        "on",    "y",     "nUll", "tRUE", "1_000",
        "12:30:00",   ".inf",       "-.inf", ".nan",  ".",    "-",    "+",
        "e3",         "1e",         "1.2.3", "1e999", "0x",   "0xg",  "0x10000000000000000",
        "2024-01-01", "10.0.0.0/8", "-0x1",  "0b1",   "<<"}) {
    EXPECT_EQ(plain_json(text), std::string("\"") + text + '"');
  }
}

}  // namespace
}  // namespace unicni::document::plain_test
