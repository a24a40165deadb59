#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config.h"
#include "hops.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"

namespace unicni::ptp::ptp_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result with(const std::vector<std::pair<const char*, const char*>>& addresses) {
  Result result;
  for (const auto& [address, gateway] : addresses) {
    IpConfig ip;
    ip.address = *IpNet::parse(address);
    ip.gateway = IpAddress::parse(gateway);
    result.ips.push_back(ip);
  }
  return result;
}

std::string text_of(const Route& route) {
  return route.dst.str() + (route.gw ? " via " + route.gw->str() : "") + " scope " +
         std::to_string(route.scope.value_or(0));
}

std::vector<std::string> texts(const std::vector<HopRoute>& hops) {
  std::vector<std::string> found;
  for (const HopRoute& hop : hops) found.push_back(text_of(hop.route) + " src " + hop.src.str());
  return found;
}

std::vector<std::string> texts(const std::vector<Route>& routes) {
  std::vector<std::string> found;
  for (const Route& route : routes) found.push_back(text_of(route));
  return found;
}

std::vector<std::string> texts(const std::vector<IpNet>& nets) {
  std::vector<std::string> found;
  for (const IpNet& net : nets) found.push_back(net.str());
  return found;
}

std::string refusal(const Result& result) {
  try {
    require_gateways(result, "static");
    return "";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::invalid_config));
    EXPECT_THAT(error.details(), HasSubstr("gateway"));
    return error.msg();
  }
}

TEST(PtpHops, BothFamiliesGetAGatewayAndASubnetBehindIt) {
  const Result result = with({{"10.1.2.2/24", "10.1.2.1"}, {"fd00::2/64", "fd00::1"}});
  EXPECT_THAT(texts(gateway_routes(result)), ElementsAre("10.1.2.1/32 scope 253 src 10.1.2.2",
                                                         "fd00::1/128 scope 253 src fd00::2"));
  EXPECT_THAT(texts(subnet_routes(result)),
              ElementsAre("10.1.2.0/24 via 10.1.2.1 scope 0 src 10.1.2.2",
                          "fd00::/64 via fd00::1 scope 0 src fd00::2"));
  EXPECT_THAT(texts(host_addresses(result)), ElementsAre("10.1.2.1/32", "fd00::1/128"));
  EXPECT_THAT(texts(host_routes(result)),
              ElementsAre("10.1.2.2/32 scope 254", "fd00::2/128 scope 254"));
}

TEST(PtpHops, TwoAddressesOfASubnetShareItsRoutes) {
  const Result result = with({{"10.1.2.2/24", "10.1.2.1"}, {"10.1.2.3/24", "10.1.2.1"}});
  EXPECT_THAT(texts(gateway_routes(result)), ElementsAre("10.1.2.1/32 scope 253 src 10.1.2.2"));
  EXPECT_THAT(texts(subnet_routes(result)),
              ElementsAre("10.1.2.0/24 via 10.1.2.1 scope 0 src 10.1.2.2"));
  EXPECT_THAT(texts(host_addresses(result)), ElementsAre("10.1.2.1/32"));
  EXPECT_THAT(texts(host_routes(result)),
              ElementsAre("10.1.2.2/32 scope 254", "10.1.2.3/32 scope 254"));
}

TEST(PtpHops, ASingleAddressHasNoSubnet) {
  const Result result = with({{"10.1.2.2/32", "169.254.1.1"}, {"fd00::2/128", "fe80::1"}});
  EXPECT_EQ(refusal(result), "");
  EXPECT_THAT(texts(subnet_routes(result)), IsEmpty());
  EXPECT_THAT(texts(host_addresses(result)), ElementsAre("169.254.1.1/32", "fe80::1/128"));
}

TEST(PtpHops, APairOfAddressesIsASubnet) {
  EXPECT_THAT(texts(subnet_routes(with({{"10.1.2.2/31", "10.1.2.3"}}))),
              ElementsAre("10.1.2.2/31 via 10.1.2.3 scope 0 src 10.1.2.2"));
}

TEST(PtpHops, LinkLocalAddressIsTheKernels) {
  EXPECT_EQ(net::link_local(*Mac::parse("02:00:5e:10:20:30")).str(), "fe80::5eff:fe10:2030/64");
  EXPECT_EQ(net::link_local(*Mac::parse("00:1b:2c:3d:4e:5f")).str(), "fe80::21b:2cff:fe3d:4e5f/64");
}

TEST(PtpHops, EachAddressNeedsAGatewayBesideItself) {
  EXPECT_EQ(refusal(with({{"10.1.2.2/24", "10.1.2.1"}})), "");
  EXPECT_THAT(refusal(with({{"10.1.2.2/24", ""}})), HasSubstr("10.1.2.2/24 no gateway"));
  EXPECT_THAT(refusal(with({{"10.1.2.2/24", "10.1.2.2"}})), HasSubstr("gateway 10.1.2.2"));
  EXPECT_THAT(refusal(with({{"10.1.2.2/24", "fd00::1"}})), HasSubstr("gateway fd00::1"));
  EXPECT_THAT(refusal(with({{"10.1.2.2/24", "0.0.0.0"}})), HasSubstr("gateway 0.0.0.0"));
  EXPECT_THAT(refusal(with({{"10.1.2.2/24", "10.1.2.1"}, {"fd00::2/64", ""}})),
              HasSubstr("fd00::2/64"));
}

TEST(PtpOptions, RefusesAMtuThatNoLinkHas) {
  PtpOptions options;
  options.mtu = 68;
  EXPECT_NO_THROW(validate(options));
  options.mtu = 67;
  EXPECT_THROW(validate(options), Error);
}

}  // namespace
}  // namespace unicni::ptp::ptp_test
