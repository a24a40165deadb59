#include "protocol/base64.h"

#include <gtest/gtest.h>

namespace unicni::protocol::base64_test {
namespace {

struct Vector {
  std::string bytes;
  std::string text;
};
const Vector kVectors[] = {  // RFC 4648, section 10
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+"},
    {std::string("\0\0", 2), "AAA="}};

TEST(Base64, BothWays) {
  for (const Vector& vector : kVectors) {
    EXPECT_EQ(encode_base64(vector.bytes), vector.text);
    EXPECT_EQ(decode_base64(vector.text), vector.bytes);
  }
}

TEST(Base64, LineEndsArePassedOver) { EXPECT_EQ(decode_base64("Zm\r\n9v\n"), "foo"); }

TEST(Base64, WhatIsNoneIsNothing) {
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Zm9v=", "Zm9v====", "Zg==Zg==",
                           "Zm 9", "Zm9-", "Z===", "Zm9v\xff"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace unicni::protocol::base64_test
