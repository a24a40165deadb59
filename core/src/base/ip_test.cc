#include "unicni/ip.h"

#include <gtest/gtest.h>

#include <string>

#include "base/ip_for_test.h"

namespace unicni::ip_test {
namespace {

using namespace std::string_literals;

TEST(IpAddress, TextIsCanonical) {
  const std::pair<const char*, const char*> cases[] = {
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
      {"10.1.2.3", "10.1.2.3"},
      {"::", "::"},
      {"::1", "::1"},
      {"1::", "1::"},
      {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
      {"2001:0db8:0000:0001:0000:0000:0000:0001", "2001:db8:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     // first of equal runs
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one group is not shortened
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // longest run
      {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
      {"0:0:1::", "0:0:1::"},
      {"::ffff:1.2.3.4", "1.2.3.4"},
      {"::ffff:102:304", "1.2.3.4"},
      {"::1.2.3.4", "::102:304"},  // never dotted
      {"64:ff9b::1.2.3.4", "64:ff9b::102:304"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
  };
  for (const auto& [text, canonical] : cases) {
    EXPECT_EQ(ip(text).str(), canonical);
    EXPECT_EQ(ip(canonical), ip(text));
  }
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (const auto& text : {""s,
                           " "s,
                           "1"s,
                           "1.2.3"s,
                           "1.2.3.4.5"s,
                           "1.2.3.256"s,
                           "01.2.3.4"s,
                           "1.2.3.04"s,
                           "1.2.3.4 "s,
                           " 1.2.3.4"s,
                           "1.2.3.4/24"s,
                           "1.2.3.4\n"s,
                           "1.2.3.4\0"s,
                           "1.2.3.4\0x"s,
                           ":"s,
                           ":::"s,
                           "1::2::3"s,
                           "fe80::1%eth0"s,
                           "12345::"s,
                           "00001::"s,
                           "::g"s,
                           "1:2:3:4:5:6:7"s,
                           "1:2:3:4:5:6:7:8:9"s,
                           "1:2:3:4:5:6:7:8::"s,
                           "::ffff:1.2.3.04"s,
                           "0x7f.1"s,
                           "-1.2.3.4"s,
                           std::string(200, '1')}) {
    EXPECT_FALSE(IpAddress::parse(text).has_value()) << text;
  }
}

TEST(IpAddress, MappedIsHeldAsV4) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[10] = bytes[11] = 0xff;
  bytes[12] = 10;
  bytes[15] = 9;
  const auto address = IpAddress::v6(bytes);
  EXPECT_TRUE(address.is_v4());
  EXPECT_EQ(address, IpAddress::v4(0x0a000009));
  EXPECT_EQ(address.to_v4(), 0x0a000009U);
  EXPECT_EQ(address.size(), 4U);
  EXPECT_EQ(address.bits(), 32);
}

TEST(IpAddress, Kinds) {
  EXPECT_TRUE(ip("0.0.0.0").is_unspecified());
  EXPECT_TRUE(ip("::").is_unspecified());
  EXPECT_FALSE(ip("::1").is_unspecified());
  EXPECT_TRUE(ip("127.9.9.9").is_loopback());
  EXPECT_TRUE(ip("::1").is_loopback());
  EXPECT_FALSE(ip("::2").is_loopback());
  EXPECT_FALSE(ip("100::1").is_loopback());
  EXPECT_TRUE(ip("224.0.0.1").is_multicast());
  EXPECT_FALSE(ip("240.0.0.1").is_multicast());
  EXPECT_TRUE(ip("ff02::1").is_multicast());
  EXPECT_TRUE(ip("169.254.1.1").is_link_local());
  EXPECT_TRUE(ip("febf::1").is_link_local());
  EXPECT_FALSE(ip("fec0::1").is_link_local());
  EXPECT_EQ(ip("::1").to_v4(), 0U);
}

TEST(IpAddress, OrderedByFamilyThenNumber) {
  EXPECT_LT(ip("9.0.0.0"), ip("10.0.0.0"));
  EXPECT_LT(ip("255.255.255.255"), ip("::"));
  EXPECT_LT(ip("2001:db8::ff"), ip("2001:db8::100"));
}

TEST(IpAddress, PlusCarriesAndStopsAtTheEnds) {
  EXPECT_EQ(ip("10.0.0.255").plus(1), ip("10.0.1.0"));
  EXPECT_EQ(ip("10.0.1.0").plus(-1), ip("10.0.0.255"));
  EXPECT_EQ(ip("10.0.0.1").plus(0), ip("10.0.0.1"));
  EXPECT_EQ(ip("0.0.0.0").plus(0xffffffffLL), ip("255.255.255.255"));
  EXPECT_EQ(ip("0.0.0.0").plus(-1), std::nullopt);
  EXPECT_EQ(ip("255.255.255.255").plus(1), std::nullopt);
  EXPECT_EQ(ip("1.0.0.0").plus(INT64_MAX), std::nullopt);
  EXPECT_EQ(ip("1.0.0.0").plus(INT64_MIN), std::nullopt);
  EXPECT_EQ(ip("2001:db8::ffff:ffff").plus(1), ip("2001:db8::1:0:0"));
  EXPECT_EQ(ip("2001:db8::1:0:0").plus(-1), ip("2001:db8::ffff:ffff"));
  EXPECT_EQ(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").plus(1), std::nullopt);
  EXPECT_EQ(ip("::").plus(-1), std::nullopt);
  EXPECT_EQ(ip("::fffe:ffff:ffff").plus(1), std::nullopt) << "the mapped block is IPv4's";
}

TEST(IpNet, ParsesAndKeepsHostBits) {
  EXPECT_EQ(ip_net("10.1.2.3/24").str(), "10.1.2.3/24");
  EXPECT_EQ(ip_net("10.1.2.3/24").masked().str(), "10.1.2.0/24");
  EXPECT_EQ(ip_net("2001:DB8::5/64").str(), "2001:db8::5/64");
  EXPECT_EQ(ip_net("::ffff:1.2.3.4/120").str(), "1.2.3.4/24");
  EXPECT_EQ(ip_net("::ffff:1.2.3.4/96").str(), "1.2.3.4/0");
  EXPECT_EQ(ip_net("1.2.3.4/024").prefix_length(), 24) << "as Go's net.ParseCIDR";
}

TEST(IpNet, RefusesWhatIsNoNetwork) {
  for (const char* text :
       {"", "/", "10.0.0.0", "10.0.0.0/", "/24", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+1",
        "10.0.0.0/24 ", "10.0.0.0/2x", "010.0.0.0/8", "::/129", "::ffff:1.2.3.4/95",
        "::ffff:1.2.3.4/24", "10.0.0.0/24/8", "10.0.0.0/99999999999999999999", "10.0.0.0 /24"}) {
    EXPECT_FALSE(IpNet::parse(text).has_value()) << text;
  }
}

TEST(IpNet, PrefixIsClamped) {
  EXPECT_EQ(IpNet(ip("10.0.0.1"), 64).prefix_length(), 32);
  EXPECT_EQ(IpNet(ip("10.0.0.1"), -5).prefix_length(), 0);
  EXPECT_EQ(IpNet(ip("::1"), 200).prefix_length(), 128);
}

TEST(IpNet, FirstAndLast) {
  EXPECT_EQ(ip_net("10.1.2.3/24").network(), ip("10.1.2.0"));
  EXPECT_EQ(ip_net("10.1.2.3/24").last(), ip("10.1.2.255"));
  EXPECT_EQ(ip_net("10.1.2.3/32").last(), ip("10.1.2.3"));
  EXPECT_EQ(ip_net("10.1.2.3/31").network(), ip("10.1.2.2"));
  EXPECT_EQ(ip_net("1.2.3.4/0").last(), ip("255.255.255.255"));
  EXPECT_EQ(ip_net("2001:db8::5/64").network(), ip("2001:db8::"));
  EXPECT_EQ(ip_net("2001:db8::5/64").last(), ip("2001:db8::ffff:ffff:ffff:ffff"));
  EXPECT_EQ(ip_net("1::/0").last(), ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
  EXPECT_EQ(ip_net("1::1/128").network(), ip("1::1"));
}

TEST(IpNet, ContainsAndOverlaps) {
  EXPECT_TRUE(ip_net("10.1.2.3/24").contains(ip("10.1.2.255")));
  EXPECT_FALSE(ip_net("10.1.2.3/24").contains(ip("10.1.3.0")));
  EXPECT_FALSE(ip_net("0.0.0.0/0").contains(ip("::")));
  EXPECT_TRUE(ip_net("::/0").contains(ip("ff::1")));
  EXPECT_TRUE(ip_net("10.0.0.0/8").overlaps(ip_net("10.1.0.0/16")));
  EXPECT_TRUE(ip_net("10.1.0.0/16").overlaps(ip_net("10.0.0.0/8")));
  EXPECT_FALSE(ip_net("10.1.0.0/16").overlaps(ip_net("10.2.0.0/16")));
  EXPECT_FALSE(ip_net("10.1.0.0/16").overlaps(ip_net("::/0")));
}

TEST(IpNet, DefaultRoute) {
  EXPECT_TRUE(ip_net("0.0.0.0/0").is_default());
  EXPECT_TRUE(ip_net("::/0").is_default());
  EXPECT_FALSE(ip_net("0.0.0.0/1").is_default());
  EXPECT_FALSE(ip_net("10.0.0.0/0").is_default());
}

}  // namespace
}  // namespace unicni::ip_test
