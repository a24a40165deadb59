#include <gmock/gmock.h>
#include <linux/rtnetlink.h>

#include "config.h"
#include "plan.h"
#include "unicni/error.h"

namespace unicni::sbr::sbr_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kLink = 7;

IpConfig ip(const char* address, const char* gateway = "") {
  IpConfig config;
  config.address = IpNet::parse(address).value();
  config.gateway = IpAddress::parse(gateway);
  return config;
}

net::RouteEntry route(const char* dst, const char* gw, const char* src, unsigned protocol,
                      std::uint32_t scope, std::uint32_t priority = 0) {
  net::RouteEntry entry;
  entry.index = kLink;
  entry.protocol = protocol;
  entry.src = IpAddress::parse(src);
  entry.route.dst = IpNet::parse(dst).value();
  entry.route.gw = IpAddress::parse(gw);
  entry.route.table = RT_TABLE_MAIN;
  entry.route.scope = scope;
  entry.route.priority = priority;
  return entry;
}

std::vector<std::string> texts(const std::vector<net::RouteEntry>& entries) {
  std::vector<std::string> lines;
  for (const net::RouteEntry& each : entries) {
    std::string line = each.route.dst.str();
    if (each.route.gw) line += " via " + each.route.gw->str();
    line += " table " + std::to_string(each.route.table.value());
    if (each.src) line += " src " + each.src->str();
    lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> texts(const std::vector<net::Rule>& rules) {
  std::vector<std::string> lines;
  for (const net::Rule& each : rules) {
    lines.push_back(each.from.str() + " " + std::to_string(each.table));
  }
  return lines;
}

Present usual() {
  return {{254, 255},
          {route("0.0.0.0/0", "192.168.1.1", "", RTPROT_BOOT, 0),
           route("192.168.1.0/24", "", "192.168.1.209", RTPROT_KERNEL, RT_SCOPE_LINK),
           route("10.9.0.0/16", "172.16.0.1", "", RTPROT_BOOT, 0),
           route("fe80::/64", "", "", RTPROT_KERNEL, 0, 256),
           route("fd00:1::/64", "", "", RTPROT_KERNEL, 0, 256)}};
}

TEST(SbrPlan, OneAddressGetsOneTable) {
  const Plan plan = make_plan({}, {ip("192.168.1.209/24", "192.168.1.1")}, kLink, usual());
  EXPECT_THAT(texts(plan.rules), ElementsAre("192.168.1.209/32 100"));
  EXPECT_THAT(texts(plan.added), ElementsAre("192.168.1.0/24 table 100 src 192.168.1.209",
                                             "0.0.0.0/0 via 192.168.1.1 table 100"));
  EXPECT_THAT(texts(plan.removed), ElementsAre("0.0.0.0/0 via 192.168.1.1 table 254",
                                               "10.9.0.0/16 via 172.16.0.1 table 254",
                                               "192.168.1.0/24 table 254 src 192.168.1.209"))
      << "gateways first; IPv6 isn't touched";
}

TEST(SbrPlan, TablesInUseAreSkipped) {
  Present present = usual();
  present.tables.insert({100, 102});
  const Plan plan = make_plan(
      {}, {ip("192.168.1.209/24"), ip("192.168.1.210/24"), ip("fd00:1::5/64", "fd00:1::1")}, kLink,
      present);
  EXPECT_THAT(texts(plan.rules),
              ElementsAre("192.168.1.209/32 101", "192.168.1.210/32 103", "fd00:1::5/128 104"));
}

TEST(SbrPlan, LinkLocalRoutesStayWhereTheyAre) {
  const Plan plan = make_plan({}, {ip("fd00:1::5/64", "fd00:1::1")}, kLink, usual());
  EXPECT_THAT(texts(plan.removed), ElementsAre("fd00:1::/64 table 254"));
  EXPECT_THAT(texts(plan.added), ElementsAre("fe80::/64 table 100", "fd00:1::/64 table 100",
                                             "::/0 via fd00:1::1 table 100"));
}

TEST(SbrPlan, WithoutGatewayTheDefaultRouteIsCopied) {
  const Plan plan = make_plan({}, {ip("192.168.1.209/24")}, kLink, usual());
  EXPECT_THAT(texts(plan.added), ElementsAre("0.0.0.0/0 via 192.168.1.1 table 100",
                                             "192.168.1.0/24 table 100 src 192.168.1.209"));
}

TEST(SbrPlan, GatewaysOfTheConfigurationWin) {
  SbrOptions options;
  options.gateways = {IpAddress::parse("192.168.1.254").value()};
  const Plan plan = make_plan(options, {ip("192.168.1.209/24", "192.168.1.1")}, kLink, usual());
  EXPECT_THAT(texts(plan.added), ElementsAre("192.168.1.0/24 table 100 src 192.168.1.209",
                                             "0.0.0.0/0 via 192.168.1.254 table 100"));
}

TEST(SbrPlan, AFixedTableIsOnlyRules) {
  SbrOptions options;
  options.table = 5000;
  const Plan plan = make_plan(options, {ip("192.168.1.209/24", "192.168.1.1"), ip("fd00:1::5/64")},
                              kLink, usual());
  EXPECT_THAT(texts(plan.rules), ElementsAre("192.168.1.209/32 5000", "fd00:1::5/128 5000"));
  EXPECT_THAT(plan.added, IsEmpty());
  EXPECT_THAT(plan.removed, IsEmpty());
}

TEST(SbrPlan, SourceHintsKeepTheSubnetInTheMainTable) {
  SbrOptions options;
  options.add_source_hints = true;
  const Plan plan = make_plan(options, {ip("192.168.1.209/24", "192.168.1.1")}, kLink, usual());
  EXPECT_THAT(texts(plan.added), ElementsAre("192.168.1.0/24 table 100 src 192.168.1.209",
                                             "0.0.0.0/0 via 192.168.1.1 table 100",
                                             "192.168.1.0/24 table 254 src 192.168.1.209"));
  EXPECT_EQ(plan.added.back().protocol, static_cast<unsigned>(RTPROT_BOOT));
  EXPECT_THAT(texts(plan.removed), ElementsAre("0.0.0.0/0 via 192.168.1.1 table 254",
                                               "10.9.0.0/16 via 172.16.0.1 table 254",
                                               "192.168.1.0/24 table 254 src 192.168.1.209"));
  EXPECT_EQ(plan.removed.back().protocol, static_cast<unsigned>(RTPROT_KERNEL));
}

TEST(SbrAddresses, AreThoseOfTheInterface) {
  Call call;
  call.key.if_name = "net1";
  call.prev_result.emplace();
  EXPECT_THROW(static_cast<void>(addresses_of(call)), Error);
  call.prev_result->interfaces = {{"br0", "", 0, "", "", "", ""},
                                  {"net1", "", 0, "/n", "", "", ""}};
  call.prev_result->ips = {ip("10.0.0.1/24"), ip("10.0.0.2/24"), ip("10.0.0.3/24"),
                           ip("10.0.0.4/24")};
  call.prev_result->ips[1].interface = 0;
  call.prev_result->ips[2].interface = 1;
  call.prev_result->ips[3].interface = 9;
  std::vector<std::string> found;
  for (const IpConfig& each : addresses_of(call)) found.push_back(each.address.str());
  EXPECT_THAT(found, ElementsAre("10.0.0.1/24", "10.0.0.3/24", "10.0.0.4/24"));
}

TEST(SbrOptionsTest, OneGatewayAFamily) {
  const auto refusal = [](std::vector<const char*> gateways) -> std::string {
    SbrOptions options;
    for (const char* each : gateways) options.gateways.push_back(IpAddress::parse(each).value());
    try {
      validate(options);
      return "none";
    } catch (const Error& error) {
      return error.msg();
    }
  };
  EXPECT_EQ(refusal({}), "none");
  EXPECT_EQ(refusal({"10.0.0.1", "fd00::1"}), "none");
  EXPECT_THAT(refusal({"10.0.0.1", "10.0.0.2"}),
              HasSubstr("gateways list contains multiple IPv4 addresses: 10.0.0.1 and 10.0.0.2"));
  EXPECT_THAT(refusal({"fd00::1", "fd00::2"}), HasSubstr("multiple IPv6"));
  EXPECT_THAT(refusal({"10.0.0.1", "fd00::1", "10.0.0.2"}), HasSubstr("more than 2 entries"));
}

TEST(Sbr, AGatewayOutsideOfTheSubnetIsANeighbourNevertheless) {
  const Plan plan = make_plan({},
                              {ip("203.0.113.7/32", "198.51.100.1"), ip("10.1.2.3/24", "10.1.2.1"),
                               ip("fd00::5/64", "fe80::1"), ip("fd01::5/64", "fd02::1")},
                              kLink, {});
  std::vector<bool> onlink;
  for (const net::RouteEntry& each : plan.added) onlink.push_back(each.onlink);
  EXPECT_THAT(onlink, ElementsAre(true, false, false, true));
}

}  // namespace
}  // namespace unicni::sbr::sbr_test
