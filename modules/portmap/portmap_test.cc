#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "base/error_for_test.h"
#include "config.h"
#include "plan.h"
#include "unicni/host_side.h"

namespace unicni::portmap::portmap_test {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

PortmapOptions with(std::vector<PortMapping> mappings) {
  PortmapOptions options;
  options.mappings = std::move(mappings);
  return options;
}

std::string refusal(const PortmapOptions& options) {
  return refusal_of([&] { validate(options); });
}

TEST(PortmapOptions, ProtocolsInAnyLetterCase) {
  const auto mappings =
      mappings_of(with({{8080, 80, "tcp", ""}, {53, 53, "UDP", ""}, {9, 9, "Sctp", ""}}));
  ASSERT_THAT(mappings, SizeIs(3));
  EXPECT_EQ(mappings[0].protocol, IPPROTO_TCP);
  EXPECT_EQ(mappings[1].protocol, IPPROTO_UDP);
  EXPECT_EQ(mappings[2].protocol, IPPROTO_SCTP);
  EXPECT_THAT(refusal(with({{8080, 80, "", ""}})), HasSubstr("portMappings[0].protocol"));
}

TEST(PortmapOptions, UnspecifiedAddressesAreAWholeFamily) {
  const auto mappings = mappings_of(with({{1, 1, "tcp", ""},
                                          {2, 2, "tcp", "0.0.0.0"},
                                          {3, 3, "tcp", "::"},
                                          {4, 4, "tcp", "192.0.2.1"}}));
  ASSERT_THAT(mappings, SizeIs(4));
  EXPECT_TRUE(mappings[0].v4 && mappings[0].v6 && !mappings[0].host_ip);
  EXPECT_TRUE(mappings[1].v4 && !mappings[1].v6 && !mappings[1].host_ip);
  EXPECT_TRUE(!mappings[2].v4 && mappings[2].v6 && !mappings[2].host_ip);
  EXPECT_TRUE(mappings[3].v4 && !mappings[3].v6 && mappings[3].host_ip);
}

TEST(PortmapOptions, TheSameMappingTwiceIsOne) {
  EXPECT_THAT(mappings_of(with({{8080, 80, "tcp", ""}, {8080, 80, "TCP", ""}})), SizeIs(1));
  EXPECT_THAT(refusal(with({{8080, 80, "tcp", ""}, {8080, 81, "tcp", ""}})), HasSubstr("8080"));
}

TEST(PortmapOptions, TwoContainerPortsForOneOfTheHostAreNamedBoth) {
  const auto text = [](std::vector<PortMapping> mappings) {
    return refusal(with(std::move(mappings)));
  };
  EXPECT_EQ(text({{8080, 80, "tcp", ""}, {1, 1, "tcp", ""}, {8080, 81, "tcp", "192.0.2.1"}}),
            "portMappings[0] (8080/tcp to 80) and portMappings[2] (8080/tcp at 192.0.2.1 to 81): a "
            "port of the host leads to one port of the container");
  EXPECT_THAT(text({{8080, 81, "tcp", "127.0.0.1"}, {8080, 80, "tcp", ""}}), HasSubstr("[0]"));
  EXPECT_THAT(text({{8080, 81, "tcp", "::"}, {8080, 80, "tcp", ""}}), HasSubstr("at :: to 81"));
  EXPECT_THAT(text({{8080, 81, "tcp", "0.0.0.0"}, {8080, 80, "tcp", "192.0.2.1"}}),
              HasSubstr("at 0.0.0.0 to 81"));
  EXPECT_EQ(text({{8080, 81, "tcp", "192.0.2.1"}, {8080, 80, "tcp", "192.0.2.2"}}), "");
  EXPECT_EQ(text({{8080, 81, "tcp", "::"}, {8080, 80, "tcp", "0.0.0.0"}}), "");
  EXPECT_EQ(text({{8080, 81, "tcp", "::"}, {8080, 80, "tcp", "192.0.2.1"}}), "");
  EXPECT_EQ(text({{8080, 81, "tcp", ""}, {8080, 80, "udp", ""}}), "");
  EXPECT_EQ(text({{8080, 81, "tcp", "::1"}, {8080, 80, "tcp", ""}}), "") << "it is left out";
}

TEST(PortmapOptions, AnyAddressCoversSingleOnes) {
  const auto served = [](std::vector<PortMapping> mappings, Family family) {
    return served_mappings(mappings_of(with(std::move(mappings))), family).size();
  };
  const PortMapping any{8080, 80, "tcp", ""};
  const PortMapping any4{8080, 80, "tcp", "0.0.0.0"};
  const PortMapping local{8080, 80, "tcp", "127.0.0.1"};
  const PortMapping one6{8080, 80, "tcp", "2001:db8::1"};
  EXPECT_EQ(served({any, local}, Family::v4), 1U);
  EXPECT_EQ(served({local, any}, Family::v4), 1U);
  EXPECT_EQ(served({any4, any, local}, Family::v4), 1U);
  EXPECT_EQ(served({any4, local, one6}, Family::v6), 1U) << "the other family isn't covered";
  EXPECT_EQ(served({{8080, 80, "tcp", "192.0.2.1"}, local}, Family::v4), 2U);
  EXPECT_THAT(mappings_of(with({any, local})), SizeIs(2)) << "iptables' rules are the reference's";
}

TEST(PortmapOptions, LoopbackNeedsSnatAndForIpv6ARoute) {
  const auto reason = [](const PortmapOptions& options) {
    EXPECT_EQ(refusal(options), "");
    const char* why = mappings_of(options).front().unservable;
    return std::string(why != nullptr ? why : "");
  };
  PortmapOptions options = with({{8080, 80, "tcp", "127.0.0.1"}});
  EXPECT_EQ(reason(options), "");
  options.snat = false;
  EXPECT_THAT(reason(options), HasSubstr("snat"));
  EXPECT_THAT(served_mappings(mappings_of(options), Family::v4), SizeIs(0));
  options.masq_all = true;
  EXPECT_EQ(reason(options), "");
  options = with({{8080, 80, "tcp", "::1"}});
  EXPECT_THAT(reason(options), HasSubstr("ipv6Loopback"));
  options.ipv6_loopback = true;
  EXPECT_EQ(reason(options), "");
}

TEST(PortmapOptions, BackendFollowsWhatNeedsIptables) {
  PortmapOptions options;
  EXPECT_EQ(backend_of(options), Backend::nftables);
  options.set_mark_chain = "KUBE-MARK-MASQ";
  EXPECT_EQ(backend_of(options), Backend::iptables);
  options.backend = "nftables";
  EXPECT_THAT(refusal(options), HasSubstr("externalSetMarkChain"));
  options = {};
  options.conditions_v6 = {"-s", "fd00::/64"};
  EXPECT_EQ(backend_of(options), Backend::iptables);
  options.backend = "nftables";
  EXPECT_EQ(refusal(options),
            "nftables backend was requested but configuration contains iptables-specific options "
            "[conditionsV6]");
  options = {};
  options.conditions_v4 = {"ip", "saddr", "192.0.2.1"};
  EXPECT_EQ(backend_of(options), Backend::nftables);
  options.backend = "iptables";
  EXPECT_EQ(refusal(options),
            "iptables backend was requested but configuration contains nftables-specific options "
            "[conditionsV4]");
}

TEST(PortmapOptions, ConditionsCannotBeMoreThanAConditon) {
  for (const char* word : {"", "a;b", "a\nb", "a#b", "$a", "a\\b"}) {
    PortmapOptions options;
    options.conditions_v4 = {"ip", word};
    EXPECT_NE(refusal(options), "") << word;
  }
}

TEST(PortmapPlan, FirstAddressOfTheInterfaceInEachFamily) {
  Result result;
  result.interfaces.resize(2);
  result.interfaces[0].name = "br0";
  result.interfaces[1].name = "eth0";
  result.interfaces[1].sandbox = "/run/netns/c";
  const auto ip = [](const char* address, std::optional<int> interface) {
    IpConfig made;
    made.address = IpNet::parse(address).value();
    made.interface = interface;
    return made;
  };
  result.ips = {ip("10.9.0.1/24", 0), ip("10.1.0.5/24", 1), ip("10.1.0.6/24", 1),
                ip("fd00::5/64", std::nullopt)};
  const Targets targets = targets_of(attachment_addresses(result, "eth0"));
  EXPECT_EQ(targets.v4->str(), "10.1.0.5/24");
  EXPECT_EQ(targets.v6->str(), "fd00::5/64");
}

TEST(PortmapPlan, WhatLeadsNowhereIsLeftOutAndToldOf) {
  const Targets targets = {IpNet::parse("10.1.0.5/24").value(), std::nullopt};
  PortmapOptions options =
      with({{1, 1, "tcp", "2001:db8::1"}, {1, 1, "tcp", "::"}, {2, 2, "tcp", ""}});
  Call call;
  call.key.if_name = "eth0";
  call.parsed_options = &options;
  const Plan plan = plan_of(call, targets);
  EXPECT_THAT(plan.ports, SizeIs(1));
  EXPECT_TRUE(plan.loopback4);
  EXPECT_THAT(plan.warnings,
              testing::ElementsAre("left out: portMappings[0] (1/tcp at 2001:db8::1 to 1), "
                                   "portMappings[1] (1/tcp at :: to 1): eth0 has no IPv6 address"));
  options.mappings.clear();
  for (int port = 1; port <= 1000; ++port) options.mappings.push_back({port, 1, "tcp", "::1"});
  const Plan many = plan_of(call, targets);
  EXPECT_THAT(many.ports, SizeIs(0));
  ASSERT_THAT(many.warnings, SizeIs(1));
  EXPECT_THAT(many.warnings[0], HasSubstr("and 995 more: Linux takes answers to ::1 from lo only"));
}

}  // namespace
}  // namespace unicni::portmap::portmap_test
