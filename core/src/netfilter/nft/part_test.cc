// The parts of the base as nft(8) lists them, and what packets make of them.
#include <gmock/gmock.h>
#include <netinet/in.h>

#include <algorithm>

#include "base/ip_for_test.h"
#include "net/netlink_socket.h"
#include "net/private_netns_for_test.h"
#include "netfilter/nft/base.h"
#include "netfilter/nft/records_for_test.h"
#include "unicni/error.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::net::part_test {
namespace {

using testing::HasSubstr;
using testing::Not;

PublishedPort port(const char* container, const char* host_ip = nullptr) {
  PublishedPort made;
  made.protocol = IPPROTO_TCP;
  if (host_ip != nullptr) made.host_ip = ip(host_ip);
  made.host_port = 8080;
  made.container = ip(container);
  made.container_port = 80;
  made.prefix = made.container.is_v4() ? 16 : 64;
  return made;
}

NftElement masq(const char* address) {
  return masquerade_element(IpNet::parse(address).value(), "net/c1/eth0");
}

class NftPartTest : public PrivateNetnsTest {
 protected:
  void publish(const PublishedPort& wanted, const std::string& owner) {
    const PortElements elements = port_elements(wanted, owner, "net");
    nft_.add(elements.own, elements.shared);
  }
  std::string refusal(const PublishedPort& wanted, const std::string& owner) {
    try {
      publish(wanted, owner);
    } catch (const Error& error) {
      return error.msg();
    }
    return "";
  }
  FakeRecords records_;
  Nft nft_{&records_};
};

TEST_F(NftPartTest, OnlyWhatIsUsedIsMade) {
  nft_.add({masq("10.1.0.5/16")}, {});
  EXPECT_THAT(shell("nft list table inet unicni"),
              testing::AllOf(HasSubstr("chain masq4_16"), Not(HasSubstr("dnat_in")),
                             Not(HasSubstr("forward"))));
  nft_.add({forward_element("br0", ip("10.1.0.5"), "net/c1/eth0")}, {});
  EXPECT_THAT(shell("nft list table inet unicni"),
              testing::AllOf(HasSubstr("chain masq4_16"), HasSubstr("chain forward"),
                             Not(HasSubstr("dnat_in"))));
  publish(port("10.1.0.5"), "net/c1/eth0");
  EXPECT_THAT(shell("nft list table inet unicni"), HasSubstr("dnat_in"));
  EXPECT_EQ(nft_.list("masq4_16").size(), 1U);
  EXPECT_EQ(nft_.list("port4_any").size(), 1U);
}

/// Whoever lists the table sees what his attachments use, and no more.
TEST_F(NftPartTest, ThreeContainersOfOneFamilyWithAPortEachAreAShortList) {
  for (const int number : {5, 6, 7}) {
    const std::string address = "10.1.0." + std::to_string(number);
    const std::string owner = "net/c" + std::to_string(number) + "/eth0";
    nft_.add({masquerade_element(IpNet(ip(address.c_str()), 16), owner)}, {});
    PublishedPort wanted = port(address.c_str());
    wanted.host_port = static_cast<std::uint16_t>(8080 + number);
    publish(wanted, owner);
    nft_.add({}, {localnet_element("br0", "net", true)});
    nft_.add({forward_element("br0", ip(address.c_str()), owner)},
             {forward_interface_element("br0", "net")});
  }
  const std::string listed = shell("nft list table inet unicni");
  EXPECT_LE(std::ranges::count(listed, '\n'), 160) << listed;
  for (const char* unused :
       {"ip6", "masq6", "att6", "port6", "pub6", "@policy", "isolated", "cond"}) {
    EXPECT_THAT(listed, Not(HasSubstr(unused)));
  }
}

TEST_F(NftPartTest, AnotherFamilyComesBesideTheFirstAndIsMendedWithIt) {
  const NftElement first = forward_element("br0", ip("10.1.0.5"), "net/c1/eth0");
  const NftElement second = forward_element("br0", ip("fd00::5"), "net/c1/eth0");
  nft_.add({first}, {});
  nft_.add({second}, {});
  nft_.require_effective({first, second});
  EXPECT_THAT(shell("nft list chain inet unicni forward"),
              testing::AllOf(HasSubstr("iifname . ip saddr @att4"),
                             HasSubstr("iifname . ip6 saddr @att6")));
  const std::string whole = shell("nft list table inet unicni | sort");
  // A rule of one family doesn't stand for the other's that is missing.
  for (const NftElement& looked_for : {first, second}) {
    for (const char* rule : {"ip saddr @att4", "ip6 saddr @att6"}) {
      shell(std::string("nft delete rule inet unicni forward handle $(nft -a list chain inet "
                        "unicni forward | sed -n 's/.*") +
            rule + ".* # handle //p')");
      EXPECT_THROW(nft_.require_effective({looked_for}), Error) << rule;
      nft_.add({looked_for}, {});
      nft_.require_effective({first, second});
      EXPECT_EQ(shell("nft list table inet unicni | sort"), whole);
    }
  }
  shell("nft flush table inet unicni");
  EXPECT_TRUE(is_nft_base_damaged(nft_.socket(), NftTable::inet));
  nft_.add({first}, {});
  nft_.require_effective({first, second});
}

TEST_F(NftPartTest, AFlushIsSeenWhereOnlyASubnetsPartIsLeft) {
  nft_.add({masq("10.1.0.5/16")}, {});
  EXPECT_FALSE(is_nft_base_damaged(nft_.socket(), NftTable::inet));
  shell("nft flush table inet unicni");
  EXPECT_TRUE(is_nft_base_damaged(nft_.socket(), NftTable::inet));
  records_.memory = {{masq("10.1.0.5/16")}, {}};
  EXPECT_TRUE(nft_.restore());
  nft_.require_effective({masq("10.1.0.5/16")});
}

TEST_F(NftPartTest, WhatAnAddIsAboutToPutInWasNeverGone) {
  records_.memory = {{masq("10.1.0.5/16")}, {}, 1};
  EXPECT_FALSE(nft_.restore());
  shell("nft delete table inet unicni");
  records_.memory = {{masq("10.1.0.6/16"), masq("10.1.0.5/16")}, {}, 1};
  EXPECT_TRUE(nft_.restore()) << "the ADD of the first one has ended";
}

TEST_F(NftPartTest, ATableThatIsMadeWhileRecordsAreReadWasNeverGone) {
  struct FirstAdd final : NftRecords {
    NftMemory remembered() override {
      Nft().add({masq("10.1.0.5/16")}, {});
      return {{masq("10.1.0.5/16")}, {}};
    }
    std::vector<std::vector<NftElement>> siblings(const std::string&) override { return {}; }
  } records;
  Nft status(&records);
  EXPECT_FALSE(status.restore());
  status.require_effective({masq("10.1.0.5/16")});
}

TEST_F(NftPartTest, APolicyIsMadeWhenItIsUsed) {
  nft_.add({forward_element("br0", ip("10.1.0.5"), "net/c1/eth0")}, {});
  const auto policy =
      ingress_elements(IngressPolicy::isolated, "br0", ip("10.1.0.5"), "net/c1/eth0");
  nft_.add(policy, {policy_interface_element("br0", "net")});
  nft_.require_effective(policy);
  const std::string listed = shell("nft list table inet unicni");
  EXPECT_THAT(listed, testing::AllOf(HasSubstr("iifname . ip daddr @isolated4 drop"),
                                     HasSubstr("iifname @policy_if jump policy_check"),
                                     Not(HasSubstr("isolated6"))));
  shell("nft flush chain inet unicni ingress_policy");
  EXPECT_THROW(nft_.require_effective(policy), Error);
  nft_.add({forward_element("br0", ip("10.1.0.6"), "net/c2/eth0")}, {});
  EXPECT_THROW(nft_.require_effective(policy), Error) << "who has none doesn't look";
  nft_.add(policy, {});
  nft_.require_effective(policy);
}

TEST_F(NftPartTest, RulesAreListedAsNftWouldWriteThem) {
  publish(port("10.1.0.5"), "net/c1/eth0");
  publish(port("fd00::5"), "net/c1/eth0");
  nft_.add({forward_element("br0", ip("10.1.0.5"), "net/c1/eth0")},
           {forward_interface_element("br0", "net")});
  const std::string listing = shell("nft list table inet unicni");
  for (const char* rule :
       {"fib daddr type local goto to_ports4", "ct status dnat goto snat_ports4",
        "ct status dnat jump published",
        "dnat ip to ip daddr . meta l4proto . th dport map @port4_at",
        "dnat ip6 to meta l4proto . th dport map @port6_any",
        "ct status dnat ip daddr . meta l4proto . th dport . ip saddr & 255.255.0.0 @hairpin4_16 "
        "masquerade",
        "ip6 daddr . meta l4proto . th dport . ip6 saddr & ffff:ffff:ffff:ffff:: @hairpin6_64",
        "10.1.0.5 . tcp . 80 . 10.1.0.0 comment \"net/c1/eth0\"", "ct state established,related",
        "iifname . ip saddr @att4 goto pass", "tcp . 8080 comment \"net/c1/eth0\" : 10.1.0.5 . 80",
        "tcp . 8080 comment \"net/c1/eth0\" : fd00::5 . 80", "meta mark set"}) {
    EXPECT_THAT(listing, HasSubstr(rule));
  }
  // What nft lists, it takes back.
  EXPECT_EQ(shell("nft list ruleset > /tmp/unicni-parts.$$ && nft flush ruleset && "
                  "nft -f /tmp/unicni-parts.$$ && nft list table inet unicni; "
                  "rm -f /tmp/unicni-parts.$$"),
            listing);
}

TEST_F(NftPartTest, ConditionsAndBitsLeadToChains) {
  const NftCondition condition = port_condition(Family::v4, "ip saddr 192.0.2.0/24", "net/c1/eth0");
  require_condition(condition);
  nft_.add_condition(condition);
  PublishedPort wanted = port("10.1.0.5");
  wanted.condition = condition.chain;
  wanted.mark_bit = 13;
  publish(wanted, "net/c1/eth0");
  const std::string listing = shell("nft list table inet unicni");
  // Chains are listed in the order in which they were made.
  constexpr const char* kSorted = "nft list table inet unicni | sort";
  const std::string sorted = shell(kSorted);
  for (const std::string& rule :
       {std::string("ip saddr 192.0.2.0/24 goto to_cond_ports4"),
        "tcp . 8080 comment \"net/c1/eth0\" : goto " + condition.chain,
        std::string("10.1.0.5 . tcp . 80 comment \"net/c1/eth0\" : goto bit_13"),
        std::string("10.1.0.5 . tcp . 80 . 10.1.0.0 comment \"net/c1/eth0\" : goto bit_13"),
        std::string("ip daddr . meta l4proto . th dport . ip saddr & 255.255.0.0 vmap @bit4_16"),
        std::string("meta l4proto . th dport vmap @cond4_any"),
        std::string("dnat ip to meta l4proto . th dport map @cport4_any")}) {
    EXPECT_THAT(listing, HasSubstr(rule));
  }
  EXPECT_TRUE(nft_.list("port4_any").empty()) << "who doesn't meet the condition finds no port";
  const auto elements = port_elements(wanted, "net/c1/eth0", "net");
  nft_.require_effective(elements.own);
  shell("nft flush chain inet unicni " + condition.chain);
  EXPECT_THROW(nft_.require_effective(elements.own), Error);

  // A table that has to be made again has the chain with its text.
  records_.memory = {elements.own, {condition}};
  shell("nft delete table inet unicni");
  EXPECT_TRUE(nft_.restore());
  EXPECT_EQ(shell(kSorted), sorted);
  nft_.require_effective(elements.own);
  shell("nft flush table inet unicni");
  EXPECT_TRUE(nft_.restore());
  EXPECT_EQ(shell(kSorted), sorted);
  for (const char* chain : {"bit_13", "to_cond_ports4"}) {
    shell(std::string("nft flush chain inet unicni ") + chain);
    EXPECT_THROW(nft_.require_effective(elements.own), Error) << chain;
    shell("nft delete table inet unicni");
    EXPECT_TRUE(nft_.restore());
  }

  nft_.remove(elements.own);
  EXPECT_THAT(shell("nft list table inet unicni"), Not(HasSubstr(condition.chain)));
  nft_.remove_condition(condition);
}

TEST_F(NftPartTest, TextThatIsNoConditionIsRefusedInNftsWords) {
  for (const char* text : {"ip saddr nowhere.invalid.", "no such thing", "accept"}) {
    const std::string before = shell("nft list ruleset");
    try {
      require_condition(port_condition(Family::v4, text, "net/c1/eth0"));
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_THAT(error.msg(), HasSubstr("conditionsV4"));
      EXPECT_EQ(error.code(), 7U);
    }
    EXPECT_EQ(shell("nft list ruleset"), before);
  }
}

TEST_F(NftPartTest, UseCountsAreTheKernels) {
  const NftCondition condition = port_condition(Family::v4, "ip saddr 192.0.2.0/24", "net/c2/eth0");
  nft_.add_condition(condition);
  PublishedPort marked = port("10.1.0.6");
  marked.host_port = 8081;
  marked.mark_bit = 1;
  publish(marked, "net/c2/eth0");
  publish(port("10.1.0.5"), "net/c1/eth0");
  nft_.add({forward_element("br0", ip("10.1.0.5"), "net/c1/eth0"), masq("10.1.0.5/16")}, {});
  NetlinkSocket socket(NETLINK_NETFILTER);
  NftParts all = nft_parts_of(NftTable::inet);
  for (const char* set :
       {"masq4_16", "masq6_61", "hairpin4_32", "hairpin6_128", "bit4_0", "bit6_64"}) {
    all.prefixes.insert(find_nft_prefix_part(set).value());
  }
  mend_nft_base(socket, NftTable::inet, all);  // the rest, and IPv6
  EXPECT_EQ(find_nft_base_fault(socket, NftTable::inet, all), std::nullopt);
  std::vector<std::string> chains;
  for (const NftPart& part : nft_parts()) {
    for (const NftBaseChain& chain : part.chains) {
      // Open ones: ConditionsAndBitsLeadToChains.
      if (part.table == NftTable::inet && !chain.open) chains.emplace_back(chain.name);
    }
  }
  for (const NftPrefixPart& part : all.prefixes) chains.push_back(nft_prefix_set(part));
  for (const std::string& chain : chains) {
    SCOPED_TRACE(chain);
    const std::string first = shell("nft -a list chain inet unicni " + chain +
                                    " | sed -n 's/.* # handle \\([0-9]*\\)$/\\1/p' | tail -1");
    shell("nft delete rule inet unicni " + chain + " handle " + first);
    const auto fault = find_nft_base_fault(socket, NftTable::inet, all);
    EXPECT_THAT(fault.value_or("no fault"), HasSubstr("chain " + chain));
    mend_nft_base(socket, NftTable::inet, all);
  }
}

TEST_F(NftPartTest, APortHasOneOwner) {
  publish(port("10.1.0.5"), "net/c1/eth0");
  EXPECT_EQ(refusal(port("10.1.0.5"), "net/c1/eth0"), "");
  EXPECT_THAT(refusal(port("10.1.0.6"), "net/c2/eth0"), HasSubstr("net/c1/eth0"));
  EXPECT_THAT(refusal(port("10.1.0.6"), "net/c2/eth0"), HasSubstr("tcp port 8080"));
  EXPECT_THAT(refusal(port("10.1.0.6", "192.0.2.1"), "net/c2/eth0"), HasSubstr("net/c1/eth0"));
  EXPECT_EQ(refusal(port("fd00::6"), "net/c2/eth0"), "") << "another family is another port";
}

TEST_F(NftPartTest, SingleAddressesShareAPortAndKeepItFromAny) {
  publish(port("10.1.0.5", "192.0.2.1"), "net/c1/eth0");
  EXPECT_EQ(refusal(port("10.1.0.6", "192.0.2.2"), "net/c2/eth0"), "");
  EXPECT_THAT(refusal(port("10.1.0.7", "192.0.2.2"), "net/c3/eth0"), HasSubstr("net/c2/eth0"));
  EXPECT_NE(refusal(port("10.1.0.7"), "net/c3/eth0"), "");
  const auto claims = nft_.list("claim4");
  ASSERT_EQ(claims.size(), 1U);
  EXPECT_EQ(find_single_ports(nft_, claims[0]).size(), 2U);
}

}  // namespace
}  // namespace unicni::net::part_test
