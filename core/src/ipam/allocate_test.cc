#include "unicni/ipam/allocate.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/ip_for_test.h"

namespace unicni::ipam::allocate_test {
namespace {

Range range(const char* subnet, const char* start, const char* end, const char* gateway) {
  return {IpNet::parse(subnet).value(), ip(start), ip(end), ip(gateway)};
}

// Whatever is asked may be free.
std::optional<IpAddress> any(const IpAddress& from, const IpAddress&) { return from; }

// Hands out addresses until the set is exhausted; `taken` never is.
std::vector<std::string> walk(const RangeSet& set, std::optional<IpAddress> last,
                              std::set<std::string> taken = {}, const Intervals& excluded = {}) {
  std::vector<std::string> order;
  for (;;) {
    const auto got = allocate(set, excluded, last, any, [&](const IpAddress& address) {
      return taken.insert(address.str()).second;
    });
    if (!got) return order;
    order.push_back(got->first.str());
    last = got->first;
    if (order.size() > 100) return order;
  }
}

const RangeSet kSmall = {range("10.1.2.0/29", "10.1.2.1", "10.1.2.6", "10.1.2.1")};

TEST(Allocate, BeginsAfterTheGateway) {
  EXPECT_EQ(walk(kSmall, std::nullopt),
            (std::vector<std::string>{"10.1.2.2", "10.1.2.3", "10.1.2.4", "10.1.2.5", "10.1.2.6"}));
}

TEST(Allocate, GoesOnAfterTheLastAndWraps) {
  EXPECT_EQ(walk(kSmall, ip("10.1.2.4")),
            (std::vector<std::string>{"10.1.2.5", "10.1.2.6", "10.1.2.2", "10.1.2.3", "10.1.2.4"}));
  EXPECT_EQ(walk(kSmall, ip("10.1.2.6")).front(), "10.1.2.2");
}

TEST(Allocate, FreedAddressComesAgainOnlyAfterTheWrap) {
  std::set<std::string> taken = {"10.1.2.2", "10.1.2.4", "10.1.2.5"};
  EXPECT_EQ(walk(kSmall, ip("10.1.2.5"), taken),
            (std::vector<std::string>{"10.1.2.6", "10.1.2.3"}));
}

TEST(Allocate, LastOutsideTheSetIsIgnored) {
  EXPECT_EQ(walk(kSmall, ip("10.9.9.9")).front(), "10.1.2.2");
  EXPECT_EQ(walk(kSmall, ip("2001:db8::1")).front(), "10.1.2.2");
}

TEST(Allocate, EachRangeKeepsItsOwnGateway) {
  const RangeSet set = {range("10.1.2.0/30", "10.1.2.1", "10.1.2.2", "10.1.2.2"),
                        range("10.1.3.0/30", "10.1.3.1", "10.1.3.2", "10.1.3.1"),
                        range("10.1.4.0/24", "10.1.4.7", "10.1.4.8", "10.1.4.1")};
  EXPECT_EQ(walk(set, std::nullopt),
            (std::vector<std::string>{"10.1.2.1", "10.1.3.2", "10.1.4.7", "10.1.4.8"}));
  EXPECT_EQ(walk(set, ip("10.1.4.7")),
            (std::vector<std::string>{"10.1.4.8", "10.1.2.1", "10.1.3.2", "10.1.4.7"}));
  const auto got = allocate(set, {}, ip("10.1.2.1"), any, [](const IpAddress&) { return true; });
  ASSERT_TRUE(got);
  EXPECT_EQ(got->second->gateway, ip("10.1.3.1"));
  EXPECT_EQ(got->second->subnet.str(), "10.1.3.0/30");
}

TEST(Allocate, EndsWhereEveryAddressIsAGateway) {
  EXPECT_TRUE(
      walk({range("10.1.2.0/24", "10.1.2.1", "10.1.2.1", "10.1.2.1")}, std::nullopt).empty());
  EXPECT_TRUE(
      walk({range("10.1.2.0/24", "10.1.2.1", "10.1.2.1", "10.1.2.1")}, ip("10.1.2.1")).empty());
  EXPECT_TRUE(walk({}, std::nullopt).empty());
}

TEST(Allocate, EndsWhenTheStartingPointIsTheGateway) {
  EXPECT_EQ(
      walk(kSmall, ip("10.1.2.6"), {"10.1.2.2", "10.1.2.3", "10.1.2.4", "10.1.2.5", "10.1.2.6"})
          .size(),
      0U);
}

TEST(Allocate, FirstIpv6Address) {
  const RangeSet set = {range("2001:db8:1::/64", "2001:db8:1::1",
                              "2001:db8:1:0:ffff:ffff:ffff:ffff", "2001:db8:1::1")};
  const auto got = allocate(set, {}, std::nullopt, any, [](const IpAddress&) { return true; });
  ASSERT_TRUE(got);
  EXPECT_EQ(got->first.str(), "2001:db8:1::2");
  const auto wrapped = allocate(set, {}, set[0].end, any, [](const IpAddress&) { return true; });
  ASSERT_TRUE(wrapped);
  EXPECT_EQ(wrapped->first.str(), "2001:db8:1::2");
}

TEST(Allocate, ReachesTheLastAddressOfAFamily) {
  EXPECT_EQ(
      walk({range("255.255.255.252/30", "255.255.255.254", "255.255.255.255", "255.255.255.253")},
           std::nullopt),
      (std::vector<std::string>{"255.255.255.254", "255.255.255.255"}));
}

TEST(Allocate, ExcludedOnesArePassedAtOnce) {
  const Intervals excluded = {{ip("10.1.2.2"), ip("10.1.2.3")}, {ip("10.1.2.6"), ip("10.1.2.9")}};
  EXPECT_EQ(walk(kSmall, std::nullopt, {}, excluded),
            (std::vector<std::string>{"10.1.2.4", "10.1.2.5"}));
  EXPECT_EQ(walk(kSmall, ip("10.1.2.4"), {}, excluded),
            (std::vector<std::string>{"10.1.2.5", "10.1.2.4"}));
  const RangeSet wide = {
      range("2001:db8::/48", "2001:db8::1", "2001:db8:0:ffff:ffff:ffff:ffff:ffff", "2001:db8::1")};
  const auto got = allocate(wide, {{ip("2001:db8::"), ip("2001:db8:0:7fff:ffff:ffff:ffff:ffff")}},
                            std::nullopt, any, [](const IpAddress&) { return true; });
  ASSERT_TRUE(got);
  EXPECT_EQ(got->first.str(), "2001:db8:0:8000::");
}

TEST(Allocate, RangesOfASetNeedNoOrder) {
  const RangeSet set = {range("10.1.4.0/24", "10.1.4.7", "10.1.4.8", "10.1.4.1"),
                        range("10.1.2.0/30", "10.1.2.1", "10.1.2.2", "10.1.2.1")};
  EXPECT_EQ(walk(set, std::nullopt),
            (std::vector<std::string>{"10.1.4.7", "10.1.4.8", "10.1.2.2"}));
  EXPECT_EQ(walk(set, ip("10.1.4.7")),
            (std::vector<std::string>{"10.1.4.8", "10.1.2.2", "10.1.4.7"}));
}

}  // namespace
}  // namespace unicni::ipam::allocate_test
