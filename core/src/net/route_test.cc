#include "unicni/net/route.h"

#include <gmock/gmock.h>
#include <linux/rtnetlink.h>

#include <algorithm>

#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/link.h"

namespace unicni::net::route_test {
namespace {

using testing::HasSubstr;

Route route(const char* dst, const char* gw = nullptr) {
  Route result;
  result.dst = IpNet::parse(dst).value();
  if (gw != nullptr) result.gw = IpAddress::parse(gw).value();
  return result;
}

class RouteTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    if (IsSkipped()) return;
    shell(
        "ip link add v0 type veth peer name v1; ip link set v1 up; ip link set v0 up;"
        "ip addr add 10.1.0.2/24 dev v0; ip addr add fd01::2/64 dev v0 nodad");
    netlink_.emplace();
    v0_ = get_link(*netlink_, "v0").index;
  }
  void add(const Route& route) {
    Batch batch(*netlink_);
    add_route(batch, {v0_, "v0"}, route);
    batch.commit();
  }
  /// The routes of v0 that somebody (not the kernel) made.
  std::vector<Route> made(Family family) {
    std::vector<Route> routes;
    for (const RouteEntry& entry : list_routes(*netlink_, family, v0_)) {
      EXPECT_EQ(v0_, entry.index);
      if (entry.protocol == RTPROT_BOOT) routes.push_back(entry.route);
    }
    return routes;
  }
  std::optional<Netlink> netlink_;
  int v0_ = 0;
};

TEST_F(RouteTest, DefaultRouteOfBothFamilies) {
  add(route("0.0.0.0/0", "10.1.0.1"));
  add(route("::/0", "fd01::1"));
  EXPECT_EQ("default via 10.1.0.1 dev v0 \n", shell("ip -4 route show default"));
  EXPECT_THAT(shell("ip -6 route show default"),
              HasSubstr("default via fd01::1 dev v0 metric 1024"));
  ASSERT_EQ(1U, made(Family::v4).size());
  EXPECT_EQ(IpNet::parse("0.0.0.0/0"), made(Family::v4).front().dst);
  ASSERT_EQ(1U, made(Family::v6).size());
  EXPECT_EQ(IpNet::parse("::/0"), made(Family::v6).front().dst);
  EXPECT_EQ(1024U, made(Family::v6).front().priority);
}

TEST_F(RouteTest, DefaultLinkIsTheOneOfTheFirstDefaultRouteOfMain) {
  EXPECT_FALSE(find_default_link(*netlink_));
  Route elsewhere = route("0.0.0.0/0", "10.1.0.1");
  elsewhere.table = 77;
  add(elsewhere);
  add(route("10.9.0.0/16", "10.1.0.1"));
  EXPECT_FALSE(find_default_link(*netlink_));
  add(route("::/0", "fd01::1"));
  EXPECT_EQ(v0_, find_default_link(*netlink_));
  shell(
      "ip link add w0 type veth peer name w1; ip link set w1 up; ip link set w0 up;"
      "ip addr add 10.2.0.2/24 dev w0; ip route add default via 10.2.0.1 metric 5");
  const int w0 = get_link(*netlink_, "w0").index;
  EXPECT_EQ(w0, find_default_link(*netlink_)) << "IPv4 comes first";
  shell("ip route add default via 10.1.0.1 metric 4");
  EXPECT_EQ(v0_, find_default_link(*netlink_)) << "a lower metric comes first";
}

TEST_F(RouteTest, MetricTableMtuAndAdvmss) {
  for (const auto& [dst, gw] :
       {std::pair("10.9.0.0/16", "10.1.0.1"), std::pair("fd09::/48", "fd01::1")}) {
    Route wanted = route(dst, gw);
    wanted.priority = 77;
    wanted.table = 4096;
    wanted.mtu = 1320;
    wanted.advmss = 1280;
    add(wanted);
    wanted.scope = 0;
    const auto found = made(wanted.dst.family());
    ASSERT_EQ(1U, found.size()) << dst;
    EXPECT_EQ(wanted, found.front()) << describe(found.front());
  }
  EXPECT_THAT(shell("ip route show table 4096"), HasSubstr("metric 77 mtu 1320 advmss 1280"));
}

TEST_F(RouteTest, ScopeAndOnLink) {
  Route link = route("10.3.0.0/16");
  link.scope = RT_SCOPE_LINK;
  add(link);
  add(route("10.4.0.0/16"));
  add(route("10.5.0.0/16", "0.0.0.0"));
  add(route("fd05::/64", "::"));
  EXPECT_THAT(shell("ip route show 10.3.0.0/16"), HasSubstr("10.3.0.0/16 dev v0 scope link"));
  EXPECT_EQ("10.4.0.0/16 dev v0 \n", shell("ip route show 10.4.0.0/16"));
  EXPECT_EQ("10.5.0.0/16 dev v0 \n", shell("ip route show 10.5.0.0/16"));
  EXPECT_THAT(shell("ip -6 route show fd05::/64"), HasSubstr("fd05::/64 dev v0 metric 1024"));
  const std::vector<Route> found = made(Family::v4);
  EXPECT_EQ(3U, found.size());
  const auto with_scope = std::ranges::find(found, link.dst, &Route::dst);
  ASSERT_NE(found.end(), with_scope);
  EXPECT_EQ(std::uint32_t{RT_SCOPE_LINK}, with_scope->scope);
}

TEST_F(RouteTest, IdenticalRouteIsSuccess) {
  for (int i = 0; i < 2; ++i) {
    EXPECT_NO_THROW(add(route("0.0.0.0/0", "10.1.0.1")));
    EXPECT_NO_THROW(add(route("::/0", "fd01::1")));
  }
  EXPECT_EQ(1U, made(Family::v4).size());
  EXPECT_EQ(1U, made(Family::v6).size());
}

TEST_F(RouteTest, AnotherGatewayGoesBeside) {
  add(route("10.9.0.0/16", "10.1.0.1"));
  add(route("10.9.0.0/16", "10.1.0.9"));
  add(route("fd09::/64", "fd01::1"));
  add(route("fd09::/64", "fd01::9"));
  EXPECT_EQ(2U, made(Family::v4).size());
  EXPECT_EQ(2U, made(Family::v6).size());
}

TEST_F(RouteTest, SourceAddress) {
  Batch batch(*netlink_);
  add_route(batch, {v0_, "v0"}, route("10.9.0.0/16", "10.1.0.1"), IpAddress::parse("10.1.0.2"));
  add_route(batch, {v0_, "v0"}, route("fd09::/64", "fd01::1"), IpAddress::parse("fd01::2"));
  batch.commit();
  EXPECT_THAT(shell("ip route show 10.9.0.0/16"), HasSubstr("src 10.1.0.2"));
  EXPECT_THAT(shell("ip -6 route show fd09::/64"), HasSubstr("src fd01::2"));
  for (const Family family : {Family::v4, Family::v6}) {
    const auto routes = list_routes(*netlink_, family, v0_);
    EXPECT_TRUE(std::any_of(routes.begin(), routes.end(), [](const RouteEntry& each) {
      return each.route.gw && each.src && each.src != each.route.gw;
    }));
  }
}

TEST_F(RouteTest, ConnectedRouteGoesAndTheOthersStay) {
  Route gateway = route("10.1.0.1/32");
  gateway.scope = RT_SCOPE_LINK;
  add(gateway);
  const auto remove = [&] {
    Batch batch(*netlink_);
    remove_connected_route(batch, {v0_, "v0"}, *IpNet::parse("10.1.0.2/24"));
    remove_connected_route(batch, {v0_, "v0"}, *IpNet::parse("fd01::2/64"));
    batch.commit();
  };
  remove();
  EXPECT_EQ("", shell("ip route show 10.1.0.0/24"));
  EXPECT_EQ("10.1.0.1 dev v0 scope link \n", shell("ip route show 10.1.0.1"));
  EXPECT_EQ("", shell("ip -6 route show fd01::/64"));
  EXPECT_NO_THROW(remove()) << "absent is fine";
  // Somebody's own route to the subnet is not the kernel's.
  add(route("10.1.0.0/24", "10.1.0.1"));
  remove();
  EXPECT_THAT(shell("ip route show 10.1.0.0/24"), HasSubstr("via 10.1.0.1"));
}

TEST_F(RouteTest, UnreachableGatewayIsNamedWithTheKernelsWords) {
  try {
    add(route("10.9.0.0/16", "172.31.0.1"));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ("add route 10.9.0.0/16 via 172.31.0.1 dev v0: Network is unreachable (ENETUNREACH)",
              error.msg());
    EXPECT_EQ("Nexthop has invalid gateway", error.details());
  }
}

TEST_F(RouteTest, ListsByLinkOrAll) {
  shell("ip addr add 10.2.0.1/24 dev v1");
  const auto of_v0 = list_routes(*netlink_, Family::v4, v0_);
  ASSERT_EQ(1U, of_v0.size());  // local and broadcast routes are no unicast routes
  EXPECT_EQ(IpNet::parse("10.1.0.0/24"), of_v0[0].route.dst);
  EXPECT_EQ(unsigned{RTPROT_KERNEL}, of_v0[0].protocol);
  EXPECT_EQ(std::uint32_t{RT_TABLE_MAIN}, of_v0[0].route.table);
  EXPECT_EQ(std::uint32_t{RT_SCOPE_LINK}, of_v0[0].route.scope);
  EXPECT_EQ(2U, list_routes(*netlink_, Family::v4, 0).size());
}

TEST(RouteTextTest, NamesWhatIsSet) {
  EXPECT_EQ("10.0.0.0/8", describe(route("10.0.0.0/8")));
  Route full = route("fd00::/8", "fe80::1");
  full.table = 7;
  full.priority = 5;
  full.scope = 253;
  full.mtu = 1300;
  full.advmss = 1200;
  EXPECT_EQ("fd00::/8 via fe80::1 table 7 metric 5 scope 253 mtu 1300 advmss 1200", describe(full));
}

TEST_F(RouteTest, TheLinkToAnAddressIsThatOfARouteOfItsOwn) {
  const auto link_to = [&](const char* address) {
    return find_link_to(*netlink_, IpAddress::parse(address).value());
  };
  EXPECT_EQ(link_to("10.1.0.9"), v0_);
  EXPECT_EQ(link_to("fd01::9"), v0_);
  EXPECT_EQ(link_to("10.1.0.2"), std::nullopt) << "this host's own";
  EXPECT_EQ(link_to("10.7.0.1"), std::nullopt) << "no way";
  add(route("0.0.0.0/0", "10.1.0.1"));
  add(route("::/0", "fd01::1"));
  EXPECT_EQ(link_to("10.7.0.1"), std::nullopt) << "a default route knows nothing of it";
  EXPECT_EQ(link_to("fd07::1"), std::nullopt);
  add(route("10.7.0.0/16", "10.1.0.1"));
  EXPECT_EQ(link_to("10.7.0.1"), v0_);
  shell(
      "ip route add 10.8.0.0/24 nexthop via 10.1.0.1 nexthop via 10.1.0.3;"
      "ip route add blackhole 10.9.0.0/24; ip rule add to 10.10.0.0/24 lookup 70;"
      "ip route add 10.10.0.0/24 dev v0 table 70");
  EXPECT_EQ(link_to("10.8.0.1"), v0_) << "several next hops";
  EXPECT_EQ(link_to("10.9.0.1"), std::nullopt);
  EXPECT_EQ(link_to("10.10.0.1"), v0_) << "by a rule";
}

}  // namespace
}  // namespace unicni::net::route_test
