#include "unicni/net/ipvlan.h"

#include <gtest/gtest.h>

#include "config.h"
#include "unicni/error.h"

namespace unicni::ipvlan::ipvlan_test {
namespace {

Interface named(const char* name) {
  Interface interface;
  interface.name = name;
  return interface;
}

TEST(IpvlanOptions, EveryModeIsTheKernels) {
  const auto mode = [](const char* text) {
    IpvlanOptions options;
    options.mode = text;
    return mode_of(options);
  };
  EXPECT_EQ(mode(""), net::IpvlanMode::l2);
  EXPECT_EQ(mode("l2"), net::IpvlanMode::l2);
  EXPECT_EQ(mode("l3"), net::IpvlanMode::l3);
  EXPECT_EQ(mode("l3s"), net::IpvlanMode::l3s);
}

TEST(IpvlanParent, IsTheConfiguredOneWhateverPrevResultSays) {
  IpvlanOptions options;
  options.master = "eth7";
  options.link_in_container = true;
  options.mtu = 1400;
  const ParentChoice parent = parent_of(options, Result());
  EXPECT_EQ(parent.master, "eth7");
  EXPECT_TRUE(parent.in_container);
  EXPECT_EQ(parent.mtu, 1400);
}

TEST(IpvlanParent, WithoutMasterItIsPrevResultsOnlyNamedInterface) {
  Result result;
  const auto refused = [&] {
    try {
      parent_of({}, result);
      return false;
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::invalid_config));
      EXPECT_NE(error.msg().find("master"), std::string::npos);
      return true;
    }
  };
  EXPECT_TRUE(refused());
  result.interfaces = {named(""), named("bond0"), named("")};
  EXPECT_EQ(parent_of({}, result).master, "bond0");
  result.interfaces.push_back(named("eth0"));
  EXPECT_TRUE(refused());
  EXPECT_EQ(parent_of({}, std::nullopt).master, "") << "the default route decides";
}

TEST(IpvlanAddresses, AreThoseOfPrevResultIfItHasSome) {
  EXPECT_FALSE(addresses_of(std::nullopt));
  Result result;
  result.interfaces = {named("bond0")};
  result.routes.emplace_back();
  EXPECT_FALSE(addresses_of(result));
  result.ips.emplace_back();
  result.ips[0].address = *IpNet::parse("10.1.2.3/24");
  result.dns.domain = "example.net";
  const auto taken = addresses_of(result);
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->ips, result.ips);
  EXPECT_EQ(taken->routes, result.routes);
  EXPECT_EQ(taken->dns, result.dns);
  EXPECT_TRUE(taken->interfaces.empty()) << "prevResult's are not this plugin's";
}

}  // namespace
}  // namespace unicni::ipvlan::ipvlan_test
