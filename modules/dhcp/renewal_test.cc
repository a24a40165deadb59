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
  EXPECT_EQ(fitting_mtu(grant_, 1500), 1500U);
  option(OptionCode::mtu) = {5, 120};
  EXPECT_EQ(fitting_mtu(grant_, 1500), 1400U);
  EXPECT_EQ(fitting_mtu(grant_, 1300), 1300U);
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
