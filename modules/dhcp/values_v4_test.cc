#include "values_v4.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unicni::dhcp::values_v4_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ReceivedRoute route(const char* dst, const char* gateway) {
  return {*IpNet::parse(dst), *IpAddress::parse(gateway)};
}

Bytes bytes_of(const std::string& text) { return {text.begin(), text.end()}; }

TEST(ValuesV4, NumbersHaveTheirSize) {
  const Bytes two{1, 2};
  const Bytes four{0, 0, 1, 2};
  EXPECT_EQ(read16(&two), 258);
  EXPECT_EQ(read32(&four), 258U);
  EXPECT_EQ(read16(&four), std::nullopt);
  EXPECT_EQ(read32(&two), std::nullopt);
  EXPECT_EQ(read32(nullptr), std::nullopt);
}

TEST(ValuesV4, AMaskHasNoHoles) {
  const auto mask = [](std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    const Bytes bytes{a, b, c, d};
    return read_mask(&bytes);
  };
  EXPECT_EQ(mask(255, 255, 255, 0), 24);
  EXPECT_EQ(mask(255, 255, 255, 255), 32);
  EXPECT_EQ(mask(0, 0, 0, 0), 0);
  EXPECT_EQ(mask(255, 255, 128, 0), 17);
  EXPECT_EQ(mask(255, 0, 255, 0), std::nullopt);
  EXPECT_EQ(mask(0, 0, 0, 1), std::nullopt);
}

TEST(ValuesV4, AddressesComeInFours) {
  const Bytes two{10, 0, 0, 1, 10, 0, 0, 2};
  EXPECT_THAT(read_addresses(&two),
              ElementsAre(*IpAddress::parse("10.0.0.1"), *IpAddress::parse("10.0.0.2")));
  EXPECT_EQ(read_address(&two), IpAddress::parse("10.0.0.1"));
  const Bytes broken{10, 0, 0, 1, 10};
  EXPECT_THAT(read_addresses(&broken), IsEmpty());
  EXPECT_EQ(read_address(&broken), std::nullopt);
}

TEST(ValuesV4, TextsEndBeforeNulsAndArePrintable) {
  const auto read = [](const std::string& text) {
    const Bytes bytes = bytes_of(text);
    return read_text(&bytes);
  };
  EXPECT_EQ(read(std::string("lan\0\0", 5)), "lan");
  EXPECT_EQ(read("a b"), "a b");
  EXPECT_EQ(read(""), std::nullopt);
  EXPECT_EQ(read("a\nb"), std::nullopt);
  EXPECT_EQ(read(std::string("a\0b", 3)), std::nullopt);
}

// The table of RFC 3442, "Classless Route Option Format".
TEST(ValuesV4, ClasslessRoutesHaveTheSignificantBytesAlone) {
  const Bytes bytes{0,   10, 0,   0,  1,  8, 10, 10, 0,  0,   1,   24,  10, 0, 0, 10, 0,  0,
                    1,   16, 10,  17, 10, 0, 0,  1,  24, 10,  27,  129, 10, 0, 0, 1,  25, 10,
                    229, 0,  128, 10, 0,  0, 1,  32, 10, 198, 122, 47,  10, 0, 0, 1};
  EXPECT_THAT(read_classless_routes(&bytes),
              ElementsAre(route("0.0.0.0/0", "10.0.0.1"), route("10.0.0.0/8", "10.0.0.1"),
                          route("10.0.0.0/24", "10.0.0.1"), route("10.17.0.0/16", "10.0.0.1"),
                          route("10.27.129.0/24", "10.0.0.1"), route("10.229.0.128/25", "10.0.0.1"),
                          route("10.198.122.47/32", "10.0.0.1")));
}

TEST(ValuesV4, BitsBeyondAClasslessPrefixDontCount) {
  const Bytes bytes{17, 10, 1, 255, 0, 0, 0, 0};
  EXPECT_THAT(read_classless_routes(&bytes), ElementsAre(route("10.1.128.0/17", "0.0.0.0")));
}

TEST(ValuesV4, ABrokenListOfClasslessRoutesGivesNone) {
  for (const Bytes& bytes : {Bytes{33, 1, 2, 3, 4, 5, 10, 0, 0, 1}, Bytes{0, 10, 0, 0},
                             Bytes{0, 10, 0, 0, 1, 24, 10}, Bytes{255}}) {
    EXPECT_THAT(read_classless_routes(&bytes), IsEmpty());
  }
}

TEST(ValuesV4, StaticRoutesHaveTheMasksOfTheirClasses) {
  const Bytes bytes{10, 9, 8, 7, 10, 0, 0, 1, 172, 16,  5, 0, 10, 0, 0, 2,
                    0,  0, 0, 0, 10, 0, 0, 1, 192, 168, 7, 9, 10, 0, 0, 3};
  EXPECT_THAT(read_static_routes(&bytes),
              ElementsAre(route("10.0.0.0/8", "10.0.0.1"), route("172.16.0.0/16", "10.0.0.2"),
                          route("192.168.7.0/24", "10.0.0.3")));
  const Bytes odd{10, 0, 0, 0};
  EXPECT_THAT(read_static_routes(&odd), IsEmpty());
}

// RFC 3397 §2, its example.
TEST(ValuesV4, SearchListsAreCompressedNames) {
  Bytes bytes{3, 'e', 'n', 'g', 5,   'a', 'p', 'p', 'l', 'e', 3,   'c',  'o', 'm',
              0, 9,   'm', 'a', 'r', 'k', 'e', 't', 'i', 'n', 'g', 0xc0, 4};
  EXPECT_THAT(read_domain_search(&bytes), ElementsAre("eng.apple.com", "marketing.apple.com"));
}

TEST(ValuesV4, PointersOfSearchListsCantLeadRoundOrOut) {
  for (const Bytes& bytes : {Bytes{0xc0, 0}, Bytes{1, 'a', 0xc0, 0}, Bytes{1, 'a', 0xc0, 2},
                             Bytes{1, 'a', 0xc0, 200}, Bytes{1, 'a', 0xc0}, Bytes{0xc0, 2, 0xc0, 0},
                             Bytes{5, 'a'}, Bytes{1, 'a'}, Bytes{0x40, 'a', 0}, Bytes{1, ' ', 0}}) {
    EXPECT_THAT(read_domain_search(&bytes), IsEmpty());
  }
}

TEST(ValuesV4, ANameInASearchListHasAtMost255Characters) {
  Bytes bytes;
  for (int i = 0; i < 5; ++i) {
    bytes.push_back(63);
    bytes.insert(bytes.end(), 63, 'a');
  }
  bytes.push_back(0);
  EXPECT_THAT(read_domain_search(&bytes), IsEmpty());
}

TEST(ValuesV4, DomainNamesAreOfPlainCharacters) {
  EXPECT_TRUE(is_host_name("db-0.shop.Example.org"));
  EXPECT_TRUE(is_host_name(std::string(63, 'a') + ".7"));
  for (const char* name : {"", ".", "a.", ".a", "a..b", "-a", "a-", "a.-b", "a_b", "a b", "a\n"}) {
    EXPECT_FALSE(is_host_name(name)) << name;
  }
  EXPECT_FALSE(is_host_name(std::string(64, 'a')));
  std::string longest = "a";
  while (longest.size() < 255) longest += ".a";
  EXPECT_TRUE(is_host_name(longest));
  EXPECT_FALSE(is_host_name(longest + ".a"));
  EXPECT_TRUE(is_domain_name("a-1.example_x.org"));
  EXPECT_FALSE(is_domain_name(""));
  EXPECT_FALSE(is_domain_name("a b"));
  EXPECT_FALSE(is_domain_name(std::string(256, 'a')));
}

}  // namespace
}  // namespace unicni::dhcp::values_v4_test
