#include "unicni/ipam/interval.h"

#include <gtest/gtest.h>

#include "base/ip_for_test.h"
#include "unicni/ipam/range.h"

namespace unicni::ipam::interval_test {
namespace {

Interval interval(const char* text) { return parse_interval(text).value(); }

TEST(Interval, ThreeSpellings) {
  EXPECT_EQ(interval("10.1.2.3"), (Interval{ip("10.1.2.3"), ip("10.1.2.3")}));
  EXPECT_EQ(interval("10.1.2.5/30"), (Interval{ip("10.1.2.4"), ip("10.1.2.7")}));
  EXPECT_EQ(interval("2001:db8::/64"),
            (Interval{ip("2001:db8::"), ip("2001:db8::ffff:ffff:ffff:ffff")}));
  EXPECT_EQ(interval("10.1.2.3-10.1.2.9"), (Interval{ip("10.1.2.3"), ip("10.1.2.9")}));
}

TEST(Interval, EverythingElseIsNone) {
  for (const char* text : {"", "-", "10.1.2.9-10.1.2.3", "10.1.2.3-2001:db8::1", "10.1.2.3-",
                           "10.1.2.3 - 10.1.2.9", "10.1.2.0/33", "10.1.2", "host"}) {
    EXPECT_FALSE(parse_interval(text)) << text;
  }
}

TEST(Interval, MergedWhereTheyTouch) {
  EXPECT_EQ(merge({interval("2001:db8::9"), interval("10.1.2.8/29"), interval("10.1.2.4/30"),
                   interval("10.1.2.5"), interval("10.1.3.1"), interval("255.255.255.255"),
                   interval("255.255.255.254")}),
            (Intervals{{ip("10.1.2.4"), ip("10.1.2.15")},
                       {ip("10.1.3.1"), ip("10.1.3.1")},
                       {ip("255.255.255.254"), ip("255.255.255.255")},
                       {ip("2001:db8::9"), ip("2001:db8::9")}}));
}

TEST(Interval, FindsTheHolder) {
  const Intervals all = {{ip("10.1.2.4"), ip("10.1.2.15")}, {ip("2001:db8::9"), ip("2001:db8::9")}};
  EXPECT_EQ(find_interval(all, ip("10.1.2.4")), &all[0]);
  EXPECT_EQ(find_interval(all, ip("10.1.2.15")), &all[0]);
  EXPECT_EQ(find_interval(all, ip("2001:db8::9")), &all[1]);
  for (const char* none : {"10.1.2.3", "10.1.2.16", "2001:db8::8", "2001:db8::a"})
    EXPECT_EQ(find_interval(all, ip(none)), nullptr) << none;
  EXPECT_EQ(find_interval({}, ip("10.1.2.4")), nullptr);
}

TEST(Interval, ExcludedAddressesDontCount) {
  const RangeSet set = {
      {IpNet::parse("10.1.2.0/24").value(), ip("10.1.2.1"), ip("10.1.2.254"), ip("10.1.2.1")}};
  EXPECT_EQ(capacity(set), 253U);
  EXPECT_EQ(capacity(set, merge({interval("10.1.2.10-10.1.2.19"), interval("10.9.0.0/16")})), 243U);
  EXPECT_EQ(capacity(set, merge({interval("10.1.2.0/28")})), 239U) << "the gateway is in it";
  EXPECT_EQ(capacity(set, merge({interval("10.1.0.0/16")})), 0U);
  EXPECT_EQ(capacity(set, merge({interval("2001:db8::/64")})), 253U);
}

}  // namespace
}  // namespace unicni::ipam::interval_test
