#include "unicni/ipam/range.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/ip_for_test.h"
#include "unicni/error.h"

namespace unicni::ipam::range_test {
namespace {

RangeConfig config(const char* subnet, const char* start = nullptr, const char* end = nullptr,
                   const char* gateway = nullptr) {
  RangeConfig result;
  result.subnet = IpNet::parse(subnet).value();
  if (start != nullptr) result.range_start = ip(start);
  if (end != nullptr) result.range_end = ip(end);
  if (gateway != nullptr) result.gateway = ip(gateway);
  return result;
}

template <class Work>
Error refusal(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::invalid_config)) << error.code();
    EXPECT_NE(error.details(), "") << error.msg();
    return error;
  }
  ADD_FAILURE() << "was accepted";
  return Error(Code::internal, "was accepted");
}

std::string text(const RangeConfig& config) {
  const Range range = canonical(config);
  return describe({range}) + (range.gateway ? " via " + range.gateway->str() : "");
}

std::string refused(const RangeConfig& range) {
  return refusal([&] { static_cast<void>(canonical(range)); }).msg();
}

std::string refused(const std::vector<std::vector<RangeConfig>>& sets) {
  return refusal([&] { static_cast<void>(canonical_sets(sets)); }).msg();
}

TEST(Range, DefaultsOfIpv4LeaveOutNetworkAndBroadcast) {
  const Range range = canonical(config("10.1.2.0/24"));
  EXPECT_EQ(range.subnet.str(), "10.1.2.0/24");
  EXPECT_EQ(range.start.str(), "10.1.2.1");
  EXPECT_EQ(range.end.str(), "10.1.2.254");
  EXPECT_EQ(range.gateway, ip("10.1.2.1"));
}

TEST(Range, DefaultsOfIpv6ReachTheLastAddress) {
  const Range range = canonical(config("2001:db8:1::/64"));
  EXPECT_EQ(range.start.str(), "2001:db8:1::1");
  EXPECT_EQ(range.end.str(), "2001:db8:1:0:ffff:ffff:ffff:ffff");
  EXPECT_EQ(range.gateway, ip("2001:db8:1::1"));
}

TEST(Range, GivenValuesAreTaken) {
  const Range range = canonical(config("10.1.2.0/24", "10.1.2.7", "10.1.2.9", "192.0.2.1"));
  EXPECT_EQ(range.start.str(), "10.1.2.7");
  EXPECT_EQ(range.end.str(), "10.1.2.9");
  EXPECT_EQ(range.gateway, ip("192.0.2.1"));  // outside the subnet is legal
  EXPECT_TRUE(range.contains(ip("10.1.2.7")));
  EXPECT_TRUE(range.contains(ip("10.1.2.9")));
  EXPECT_FALSE(range.contains(ip("10.1.3.0")));
  EXPECT_FALSE(range.contains(ip("2001:db8::1")));
}

TEST(Range, MappedSubnetIsIpv4) {
  EXPECT_EQ(canonical(config("::ffff:10.1.2.0/120")), canonical(config("10.1.2.0/24")));
}

TEST(Range, NetworkAndBroadcastAddressAreNeverInIt) {
  EXPECT_EQ(text(config("10.1.2.0/24", "10.1.2.0", "10.1.2.255")),
            "10.1.2.1-10.1.2.254 via 10.1.2.1");
  EXPECT_EQ(text(config("10.1.2.0/24", "10.1.2.0", "10.1.2.2")), "10.1.2.1-10.1.2.2 via 10.1.2.1");
  EXPECT_EQ(text(config("10.1.2.0/30", "10.1.2.0", "10.1.2.3")), "10.1.2.1-10.1.2.2 via 10.1.2.1");
  EXPECT_EQ(text(config("10.1.2.0/23", "10.1.2.255", "10.1.3.0", "10.1.2.1")),
            "10.1.2.255-10.1.3.0 via 10.1.2.1")
      << "they are no broadcast or network addresses there";
  for (const char* only : {"10.1.2.0", "10.1.2.255"}) {
    EXPECT_EQ(refused(config("10.1.2.0/24", only, only)),
              std::string("range ") + only + '-' + only +
                  " of 10.1.2.0/24 has no address for a container");
  }
}

TEST(Range, Ipv6HasNoBroadcastAddress) {
  EXPECT_EQ(text(config("2001:db8::/126", "2001:db8::", "2001:db8::3")),
            "2001:db8::-2001:db8::3 via 2001:db8::1");
}

TEST(Range, SmallestSubnets) {
  EXPECT_EQ(text(config("10.1.2.0/30")), "10.1.2.1-10.1.2.2 via 10.1.2.1");
  EXPECT_EQ(text(config("2001:db8::/126")), "2001:db8::1-2001:db8::3 via 2001:db8::1");
}

TEST(Range, BothAddressesOfAPairAreHosts) {  // RFC 3021, RFC 6164
  EXPECT_EQ(text(config("10.1.2.0/31")), "10.1.2.0-10.1.2.1 via 10.1.2.1");
  EXPECT_EQ(text(config("10.1.2.4/31", "10.1.2.5")), "10.1.2.5-10.1.2.5 via 10.1.2.4");
  EXPECT_EQ(text(config("10.1.2.4/31", nullptr, "10.1.2.4")), "10.1.2.4-10.1.2.4 via 10.1.2.5");
  EXPECT_EQ(text(config("10.1.2.4/31", nullptr, nullptr, "10.1.2.4")),
            "10.1.2.4-10.1.2.5 via 10.1.2.4");
  EXPECT_EQ(text(config("255.255.255.254/31")),
            "255.255.255.254-255.255.255.255 via 255.255.255.255");
  EXPECT_EQ(text(config("2001:db8::2/127")), "2001:db8::2-2001:db8::3 via 2001:db8::3");
  EXPECT_EQ(text(config("2001:db8::2/127", "2001:db8::3")),
            "2001:db8::3-2001:db8::3 via 2001:db8::2");
}

TEST(Range, OneAddressHasNoGatewayUnlessItIsGiven) {
  EXPECT_EQ(text(config("10.1.2.5/32")), "10.1.2.5-10.1.2.5");
  EXPECT_EQ(text(config("10.1.2.5/32", "10.1.2.5", "10.1.2.5", "169.254.1.1")),
            "10.1.2.5-10.1.2.5 via 169.254.1.1");
  EXPECT_EQ(text(config("2001:db8::5/128")), "2001:db8::5-2001:db8::5");
  EXPECT_EQ(text(config("2001:db8::5/128", nullptr, nullptr, "fe80::1")),
            "2001:db8::5-2001:db8::5 via fe80::1");
}

TEST(Range, GatewayOfTheOtherFamilyIsRefused) {
  EXPECT_EQ(refused(config("10.1.2.0/24", nullptr, nullptr, "2001:db8::1")),
            "gateway 2001:db8::1 is of another family than 10.1.2.0/24");
  EXPECT_EQ(refused(config("2001:db8::/64", nullptr, nullptr, "10.1.2.1")),
            "gateway 10.1.2.1 is of another family than 2001:db8::/64");
}

TEST(Range, MissingSubnetIsRefused) { EXPECT_EQ(refused(RangeConfig{}), "IP <nil> not v4 nor v6"); }

TEST(Range, HostBitsAreRefused) {
  const Error error = refusal([] { static_cast<void>(canonical(config("10.1.2.5/24"))); });
  EXPECT_EQ(
      error.msg(),
      "Network has host bits set. For a subnet mask of length 24 the network address is 10.1.2.0");
  EXPECT_NE(error.details().find("10.1.2.0/24"), std::string::npos);
  EXPECT_EQ(refused(config("2001:db8::1/64")),
            "Network has host bits set. For a subnet mask of length 64 the network address is "
            "2001:db8::");
}

TEST(Range, BoundsOutsideTheSubnetAreRefused) {
  EXPECT_EQ(refused(config("10.1.2.0/24", "10.1.1.255")),
            "RangeStart 10.1.1.255 not in network 10.1.2.0/24");
  EXPECT_EQ(refused(config("10.1.2.0/24", "10.1.3.0")),
            "RangeStart 10.1.3.0 not in network 10.1.2.0/24");
  EXPECT_EQ(refused(config("10.1.2.0/24", nullptr, "10.1.3.0")),
            "RangeEnd 10.1.3.0 not in network 10.1.2.0/24");
  EXPECT_EQ(refused(config("10.1.2.0/24", "2001:db8::1")),
            "RangeStart 2001:db8::1 not in network 10.1.2.0/24");
  EXPECT_EQ(refused(config("2001:db8::/64", nullptr, "10.1.2.3")),
            "RangeEnd 10.1.2.3 not in network 2001:db8::/64");
}

TEST(Range, StartAfterEndIsRefused) {
  EXPECT_EQ(refused(config("10.1.2.0/24", "10.1.2.20", "10.1.2.10")),
            "RangeStart 10.1.2.20 not in network 10.1.2.0/24");
  EXPECT_EQ(refused(config("10.1.2.0/24", nullptr, "10.1.2.0")),
            "RangeEnd 10.1.2.0 not in network 10.1.2.0/24");
  // The reference accepts this one and then walks out of the subnet.
  EXPECT_EQ(refused(config("10.1.2.0/24", "10.1.2.255")),
            "RangeStart 10.1.2.255 not in network 10.1.2.0/24");
}

TEST(RangeSets, ReasonsNameTheSet) {
  EXPECT_EQ(refused({{config("10.1.2.0/24")}, {}}), "invalid range set 1: empty range set");
  EXPECT_EQ(refused({{config("10.1.2.0/24", "10.1.2.255", "10.1.2.255")}}),
            "invalid range set 0: range 10.1.2.255-10.1.2.255 of 10.1.2.0/24 has no address for a "
            "container");
  EXPECT_EQ(refused({{config("10.1.2.0/24"), config("2001:db8::/64")}}),
            "invalid range set 0: mixed address families");
}

TEST(RangeSets, OverlapInsideASetIsRefusedByStartAndEnd) {
  EXPECT_EQ(refused({{config("10.0.0.0/24"), config("10.0.0.0/16")}}),
            "invalid range set 0: subnets 10.0.0.1-10.0.0.254 and 10.0.0.1-10.0.255.254 overlap");
  EXPECT_EQ(canonical_sets(
                {{config("10.0.0.0/24", nullptr, "10.0.0.9"), config("10.0.0.0/24", "10.0.0.10")}})
                .at(0)
                .size(),
            2U);
}

TEST(RangeSets, OverlapBetweenSetsIsRefused) {
  EXPECT_EQ(refused({{config("10.0.0.0/24")}, {config("2001:db8::/64")}, {config("10.0.0.0/25")}}),
            "range set 0 overlaps with 2");
  EXPECT_EQ(
      canonical_sets({{config("10.0.0.0/24")}, {config("2001:db8::/64")}, {config("10.0.1.0/24")}})
          .size(),
      3U);
}

TEST(RangeSets, DescribedByStartAndEnd) {
  const auto sets =
      canonical_sets({{config("10.0.0.0/29"), config("10.0.1.0/24", "10.0.1.5", "10.0.1.6")}});
  EXPECT_EQ(describe(sets[0]), "10.0.0.1-10.0.0.6,10.0.1.5-10.0.1.6");
}

TEST(RangeSets, CapacityLeavesOutGateways) {
  const auto count = [](const std::vector<RangeConfig>& set) {
    return capacity(canonical_sets({set}).at(0));
  };
  EXPECT_EQ(count({config("10.1.2.0/29")}), 5U);
  EXPECT_EQ(count({config("10.1.2.0/29", nullptr, nullptr, "10.1.3.1")}), 6U);
  EXPECT_EQ(count({config("10.1.2.0/29"), config("10.1.3.0/24", "10.1.3.10", "10.1.3.10")}), 6U);
  EXPECT_EQ(count({config("10.1.2.0/24", "10.1.2.1", "10.1.2.1")}), 0U);
  EXPECT_EQ(count({config("0.0.0.0/0", "0.0.0.0", "255.255.255.255", "10.0.0.1")}),
            (1ULL << 32U) - 3);
  EXPECT_EQ(count({config("10.1.2.0/31")}), 1U);
  EXPECT_EQ(count({config("10.1.2.0/31", nullptr, nullptr, "10.1.3.1")}), 2U);
  EXPECT_EQ(count({config("10.1.2.0/32")}), 1U);
  EXPECT_EQ(count({config("10.1.2.0/32", nullptr, nullptr, "10.1.2.0")}), 0U);
  EXPECT_EQ(count({config("2001:db8::/96")}), (1ULL << 32U) - 2);
  EXPECT_EQ(count({config("2001:db8::/64", "2001:db8::ffff:ffff:ffff:fff0")}), 16U);
  EXPECT_EQ(count({config("2001:db8::/48", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::")}),
            2U);
  EXPECT_EQ(count({config("2001:db8::/32")}), std::numeric_limits<std::uint64_t>::max());
}

TEST(RangeFields, HaveTheKeysOfTheNetconf) {
  std::vector<std::string> keys;
  for (std::size_t i = 0; i < kRangeFields.count; ++i) keys.emplace_back(kRangeFields.rows[i].key);
  EXPECT_EQ(keys, (std::vector<std::string>{"subnet", "rangeStart", "rangeEnd", "gateway"}));
}

}  // namespace
}  // namespace unicni::ipam::range_test
