#include "unicni/attachment_key.h"

#include <gtest/gtest.h>

namespace unicni::attachment_key_test {
namespace {

TEST(AttachmentKey, IsReadBackFromItsOwnerText) {
  const AttachmentKey key{"net", "c1", "eth0"};
  EXPECT_EQ(key.owner(), "net/c1/eth0");
  EXPECT_EQ(key.alias(), "net/c1/eth0");
  EXPECT_EQ(key.comment(), "net/c1/eth0");
  EXPECT_EQ(AttachmentKey::parse(key.owner()), key);
  // An interface's name may have a '~', and names of foreign containers a '/'.
  EXPECT_EQ(AttachmentKey::parse("net/c1/eth~0")->if_name, "eth~0");
  EXPECT_EQ(AttachmentKey::parse("net/a/b/eth0")->container_id, "a/b");
}

TEST(AttachmentKey, WhatIsNoOwnerIsNone) {
  for (const char* text : {"", "net", "net/c1", "0123456789abcdef~c1/eth0", "ne~t/c1/eth0"}) {
    EXPECT_EQ(AttachmentKey::parse(text), std::nullopt) << text;
  }
}

TEST(AttachmentKey, LongOnesAreShortenedAndStayApart) {
  const AttachmentKey one{"net", std::string(300, 'a'), "eth0"};
  const AttachmentKey other{"net", std::string(301, 'a'), "eth0"};
  EXPECT_LE(one.alias().size(), 255U);
  EXPECT_LE(one.comment().size(), 128U);
  EXPECT_NE(one.alias(), other.alias());
  EXPECT_NE(one.comment(), other.comment());
  EXPECT_EQ(AttachmentKey::parse(one.comment()), std::nullopt);
  EXPECT_TRUE(one.may_be_cut_alias(one.owner().substr(0, 255)));
}

}  // namespace
}  // namespace unicni::attachment_key_test
