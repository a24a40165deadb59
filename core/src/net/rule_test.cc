#include "unicni/net/rule.h"

#include <gmock/gmock.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/link.h"
#include "unicni/net/route.h"

namespace unicni::net::rule_test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

class RuleTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    if (!IsSkipped()) netlink_.emplace();
  }
  template <class Fill>
  void commit(const Fill& fill) {
    Batch batch(*netlink_);
    fill(batch);
    batch.commit();
  }
  static Rule rule(const char* from, std::uint32_t table) {
    return {IpNet::parse(from).value(), table};
  }
  std::optional<Netlink> netlink_;
};

TEST_F(RuleTest, ComeAndGoInBothFamilies) {
  for (const Rule& each :
       {rule("10.1.2.3/32", 100), rule("10.1.0.0/16", 5000), rule("fd00::3/128", 70000)}) {
    commit([&](Batch& batch) { add_rule(batch, each); });
    EXPECT_THAT(list_rules(*netlink_, each.from.family()), Contains(each));
    commit([&](Batch& batch) { remove_rule(batch, each); });
    commit([&](Batch& batch) { remove_rule(batch, each); });
    EXPECT_THAT(list_rules(*netlink_, each.from.family()), Not(Contains(each)));
  }
}

TEST_F(RuleTest, TheKernelsOwnAreListedAndStayFirst) {
  EXPECT_THAT(list_rules(*netlink_, Family::v4), Contains(rule("0.0.0.0/0", RT_TABLE_MAIN)));
  commit([&](Batch& batch) { add_rule(batch, rule("10.1.2.3/32", 100)); });
  EXPECT_THAT(shell("ip rule"), HasSubstr("32765:\tfrom 10.1.2.3 lookup 100"));
}

TEST_F(RuleTest, TheSameAgainIsASecondOne) {
  const Rule twice = rule("10.1.2.3/32", 100);
  const auto count = [&] {
    const auto rules = list_rules(*netlink_, Family::v4);
    return std::count(rules.begin(), rules.end(), twice);
  };
  commit([&](Batch& batch) { add_rule(batch, twice); });
  commit([&](Batch& batch) { add_rule(batch, twice); });
  EXPECT_EQ(count(), 2);
  commit([&](Batch& batch) { remove_rule(batch, twice); });
  EXPECT_EQ(count(), 1);
}

TEST_F(RuleTest, WholeRoutesMoveBetweenTables) {
  shell(
      "ip link add v0 type veth peer name v1; ip link set v1 up; ip link set v0 up;"
      "ip addr add 10.1.0.2/24 dev v0; ip addr add fd01::2/64 dev v0 nodad;"
      "ip route add default via 10.1.0.1 metric 7; ip -6 route add default via fd01::1");
  const Link v0 = get_link(*netlink_, "v0");
  for (const Family family : {Family::v4, Family::v6}) {
    std::vector<RouteEntry> routes;
    for (const RouteEntry& each : list_routes(*netlink_, family, v0.index)) {
      if (each.route.table == RT_TABLE_MAIN) routes.push_back(each);
    }
    ASSERT_GE(routes.size(), 2U);
    const char* flag = family == Family::v4 ? "-4" : "-6";
    const auto table = [&](const char* id) {
      return shell(std::string("ip ") + flag + " -d route show dev v0 table " + id);
    };
    const std::string before = table("main");
    // On-link first, gateways need it.
    for (const bool gateways : {false, true}) {
      for (RouteEntry each : routes) {
        if (each.route.gw.has_value() != gateways) continue;
        each.route.table = 1000;
        commit([&](Batch& batch) { put_route(batch, v0, each); });
        commit([&](Batch& batch) { put_route(batch, v0, each); });
      }
    }
    EXPECT_EQ(table("1000"), before) << "protocol, source, scope and metric too";
    for (const RouteEntry& each : routes) {
      commit([&](Batch& batch) { remove_route(batch, v0, each); });
      commit([&](Batch& batch) { remove_route(batch, v0, each); });
    }
    EXPECT_EQ(table("main"), "");
  }
}

}  // namespace
}  // namespace unicni::net::rule_test
