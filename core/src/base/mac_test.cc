#include "unicni/mac.h"

#include <gtest/gtest.h>

namespace unicni::mac_test {
namespace {

TEST(Mac, ParsesTheThreeForms) {
  for (const char* text :
       {"0a:58:0a:01:02:ff", "0A:58:0A:01:02:FF", "0a-58-0a-01-02-ff", "0a58.0a01.02ff"}) {
    const auto mac = Mac::parse(text);
    ASSERT_TRUE(mac.has_value()) << text;
    EXPECT_EQ(mac->str(), "0a:58:0a:01:02:ff");
  }
}

TEST(Mac, RefusesOtherText) {
  for (const char* text :
       {"", "0a:58:0a:01:02", "0a:58:0a:01:02:ff:00", "0a:58-0a:01:02:ff", "0a:58:0a:01:02:fg",
        "0a580a0102ff", "0a58:0a01:02ff", "0a58.0a01-02ff", "0a58.0a01.02f", " 0a:58:0a:01:02:f",
        "a:58:0a:01:02:ff0", "02:00:5e:10:00:00:00:01", "0a.58.0a.01.02.ff"}) {
    EXPECT_FALSE(Mac::parse(text).has_value()) << text;
  }
}

TEST(Mac, RandomIsLocalUnicast) {
  const Mac first = Mac::random();
  for (int i = 0; i < 100; ++i) {
    const Mac mac = Mac::random();
    EXPECT_FALSE(mac.is_multicast());
    EXPECT_NE(mac.bytes()[0] & 2U, 0U);
    EXPECT_NE(mac, first);
  }
}

TEST(Mac, ZeroAndMulticast) {
  EXPECT_TRUE(Mac().is_zero());
  EXPECT_FALSE(Mac::parse("00:00:00:00:00:01")->is_zero());
  EXPECT_TRUE(Mac::parse("01:00:5e:00:00:01")->is_multicast());
}

}  // namespace
}  // namespace unicni::mac_test
