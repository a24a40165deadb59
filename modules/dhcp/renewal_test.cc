#include "renewal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unicni::dhcp::renewal_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class Reported : public testing::Test {
 protected:
  Reported() { grant_.address = IpNet::parse("10.0.0.9/24").value(); }
  Bytes& option(OptionCode code) { return grant_.options[static_cast<std::uint8_t>(code)]; }
  std::string broadcast(Bytes value) {
    option(OptionCode::broadcast) = std::move(value);
    const auto address = broadcast_of(grant_);
    return address ? address->str() : "";
  }
  GrantV4 grant_;
};

TEST_F(Reported, ABroadcastAddressIsOneOfTheSubnetThatNobodyHas) {
  EXPECT_EQ(broadcast_of(grant_), std::nullopt);
  EXPECT_EQ(broadcast({10, 0, 0, 255}), "10.0.0.255");
  EXPECT_EQ(broadcast({10, 0, 0, 0}), "10.0.0.0") << "as of 4.2BSD";
  EXPECT_EQ(broadcast({255, 255, 255, 255}), "255.255.255.255");
  EXPECT_EQ(broadcast({10, 0, 1, 255}), "") << "of another subnet";
  EXPECT_EQ(broadcast({10, 0, 0, 9}), "") << "its own";
  option(OptionCode::routers) = {10, 0, 0, 1};
  EXPECT_EQ(broadcast({10, 0, 0, 1}), "") << "its gateway's";
  EXPECT_EQ(broadcast({10, 0, 0}), "");
}

TEST_F(Reported, AnMtuNeverExceedsTheLinks) {
  EXPECT_EQ(fitting_mtu(grant_, 1500, true).mtu, 1500U);
  option(OptionCode::mtu) = {5, 120};
  EXPECT_EQ(fitting_mtu(grant_, 1500, true).mtu, 1400U);
  EXPECT_EQ(fitting_mtu(grant_, 1300, true).mtu, 1300U);
}

TEST_F(Reported, AnMtuIsWhatItsProtocolsNeedAndThatIsTold) {
  const auto fit = [&](std::uint8_t high, std::uint8_t low, std::uint32_t link, bool has_ipv6) {
    option(OptionCode::mtu) = {high, low};
    const auto [mtu, problem] = fitting_mtu(grant_, link, has_ipv6);
    return std::to_string(mtu) + (problem.empty() ? "" : ": " + problem);
  };
  EXPECT_EQ(fit(3, 232, 1500, false), "1000");
  EXPECT_EQ(fit(3, 232, 1500, true),
            "1280: the server's MTU of 1000 is too small for IPv6, which needs 1280: it becomes "
            "1280");
  EXPECT_EQ(fit(5, 0, 1500, true), "1280");
  EXPECT_EQ(fit(0, 68, 1500, false),
            "576: the server's MTU of 68 is too small for DHCP, which needs 576: it becomes 576");
  EXPECT_EQ(fit(2, 64, 1500, false), "576");
  EXPECT_EQ(fit(0, 68, 500, false),
            "500: the server's MTU of 68 is too small for DHCP, which needs 576: it becomes 500")
      << "it had that before";
  EXPECT_EQ(fit(0, 67, 1500, false), "1500") << "no MTU at all (RFC 2132)";
}

TEST_F(Reported, AGatewayInNoSubnetIsTheServersToMend) {
  grant_.server = IpAddress::parse("10.0.0.2").value();
  option(OptionCode::routers) = {10, 0, 0, 1};
  EXPECT_THAT(far_gateways(grant_), IsEmpty());
  option(OptionCode::classless_routes) = {16, 172, 16, 192, 168, 1, 1};
  EXPECT_THAT(far_gateways(grant_),
              ElementsAre("the DHCP server 10.0.0.2 gives route 172.16.0.0/16 the gateway "
                          "192.168.1.1, which is in none of the interface's subnets"));
  option(OptionCode::classless_routes) = {32, 192, 168, 1,  1,   0,   0, 0,
                                          0,  16,  172, 16, 192, 168, 1, 1};
  EXPECT_THAT(far_gateways(grant_), IsEmpty()) << "an earlier route makes it a neighbour";
}

TEST_F(Reported, EachThingIsALine) {
  EXPECT_THAT(reported(grant_), IsEmpty());
  option(OptionCode::host_name) = {'d', 'b', 0};
  option(OptionCode::ntp_servers) = {10, 0, 0, 1, 10, 0, 0, 2};
  option(OptionCode::dns_servers) = {10, 0, 0, 3};
  option(OptionCode::domain_name) = {'x', '.', 'y'};
  option(OptionCode::domain_search) = {1, 'x', 0, 1, 'y', 0};
  EXPECT_THAT(reported(grant_), ElementsAre("host name db", "NTP 10.0.0.1 10.0.0.2", "DNS 10.0.0.3",
                                            "domain x.y", "search x y"));
  option(OptionCode::host_name) = {'\n', 'x'};
  option(OptionCode::ntp_servers) = {10, 0, 0};
  EXPECT_THAT(reported(grant_), ElementsAre("DNS 10.0.0.3", "domain x.y", "search x y"))
      << "what is of no form, or would write to a terminal, is left out";
}

}  // namespace
}  // namespace unicni::dhcp::renewal_test
