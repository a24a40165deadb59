#include "unicni/sha512.h"

#include <gtest/gtest.h>

namespace unicni::sha512_test {
namespace {

TEST(Sha512, ExamplesOfTheStandard) {
  EXPECT_EQ(sha512_hex(""),
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
            "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
  EXPECT_EQ(sha512_hex("abc"),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  EXPECT_EQ(sha512_hex("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                       "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu"),
            "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
            "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909");
  EXPECT_EQ(sha512_hex(std::string(1'000'000, 'a')),
            "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973eb"
            "de0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b");
}

TEST(Sha512, LengthsAroundTheEndOfABlock) {
  const std::pair<std::size_t, const char*> cases[] = {
      {111, "fa9121c7b32b9e01733d034cfc78cbf6"}, {112, "c01d080efd492776a1c43bd23dd99d0a"},
      {113, "55ddd8ac210a6e18ba1ee055af84c966"}, {119, "130396a75cb483f2eee8c56d8a668bb3"},
      {120, "f241de612b01aa2fa3cf01531d2a8e5e"}, {127, "828613968b501dc00a97e08c73b118aa"},
      {128, "b73d1929aa615934e61a871596b3f3b3"}, {129, "4f681e0bd53cda4b5a2041cc8a06f2ea"},
      {239, "52c853cb8d907f3d4d6b889beb027985"}, {240, "4c296d90c61052a62ffb1dd196f1b7b0"}};
  for (const auto& [length, start] : cases) {
    const std::string digest = sha512_hex(std::string(length, 'a'));
    EXPECT_EQ(digest.size(), 128U) << length;
    EXPECT_EQ(digest.substr(0, 32), start) << length;
  }
}

TEST(Sha512, BytesAboveAsciiCount) {
  EXPECT_EQ(sha512_hex("\xff\x80").substr(0, 32), "3e024b9962d3f0661a56b87ae867499a");
}

}  // namespace
}  // namespace unicni::sha512_test
