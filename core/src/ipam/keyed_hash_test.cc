#include "ipam/keyed_hash.h"

#include <gtest/gtest.h>

#include <string>

namespace unicni::ipam::keyed_hash_test {
namespace {

// The paper's own vectors: key 00 01 … 0f, message 00 01 … of each length.
TEST(KeyedHash, IsThatOfThePaper) {
  const HashKey key = {0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
  std::string message;
  for (int i = 0; i < 15; ++i) message += static_cast<char>(i);
  EXPECT_EQ(keyed_hash(key, ""), 0x726fdb47dd0e0e31U);
  EXPECT_EQ(keyed_hash(key, message.substr(0, 8)), 0x93f5f5799a932462U);
  EXPECT_EQ(keyed_hash(key, message), 0xa129ca6149be45e5U);
}

}  // namespace
}  // namespace unicni::ipam::keyed_hash_test
