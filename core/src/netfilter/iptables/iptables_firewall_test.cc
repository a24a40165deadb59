#include "unicni/netfilter/iptables_firewall.h"

#include <gmock/gmock.h>

#include <chrono>

#include "base/deadline_for_test.h"
#include "base/ip_for_test.h"
#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/netfilter/iptables_firewall_removal.h"

namespace unicni::net::iptables_firewall_test {
namespace {

using testing::HasSubstr;
using testing::Not;

bool nobodys(const IpAddress&) { return false; }

/// Rules of both families, made with the flavour of iptables that the parameter says.
class IptablesFirewallTest : public PrivateNetnsTest {
 protected:
  static std::string saved() {
    return shell("for i in iptables ip6tables; do $i-nft-save -t filter; done | grep -v '^#'");
  }
  static IptablesFirewall firewall(std::vector<IpAddress> addresses) {
    return {.key = {"mynet", "ctr1", "eth0"},
            .addresses = std::move(addresses),
            .policy = std::nullopt,
            .bridge = "cni0"};
  }
  void add(const IptablesFirewall& what) { add_iptables_firewall(nft_, what, soon()); }
  std::optional<std::string> fault(const IptablesFirewall& what) {
    return find_iptables_firewall_fault(nft_, what, soon());
  }
  std::size_t remove(const IptablesFirewall& what, const IsAnothers& is_anothers = nobodys) {
    return remove_iptables_firewall(nft_, what.addresses, what.admin_chain, is_anothers, soon());
  }
  const IptablesFirewall one_ = firewall({ip("10.1.2.3"), ip("fd00::3")});
  const IptablesFirewall other_ = firewall({ip("10.1.2.4")});
  Nft nft_;
};

TEST_F(IptablesFirewallTest, RulesAreTheReferences) {
  IptablesFirewall isolated = firewall({ip("10.1.2.2")});
  isolated.policy = IngressPolicy::isolated;
  add(isolated);
  EXPECT_EQ(
      shell("iptables-nft -S"),
      "-P INPUT ACCEPT\n"
      "-P FORWARD ACCEPT\n"
      "-P OUTPUT ACCEPT\n"
      "-N CNI-ADMIN\n"
      "-N CNI-FORWARD\n"
      "-N CNI-ISOLATION-STAGE-1\n"
      "-N CNI-ISOLATION-STAGE-2\n"
      "-A FORWARD -m comment --comment \"CNI firewall plugin rules (ingressPolicy: "
      "same-bridge|isolated)\" -j CNI-ISOLATION-STAGE-1\n"
      "-A FORWARD -m comment --comment \"CNI firewall plugin rules\" -j CNI-FORWARD\n"
      "-A CNI-FORWARD -m comment --comment \"CNI firewall plugin admin overrides\" -j CNI-ADMIN\n"
      "-A CNI-FORWARD -d 10.1.2.2/32 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
      "-A CNI-FORWARD -s 10.1.2.2/32 -j ACCEPT\n"
      "-A CNI-ISOLATION-STAGE-1 -i cni0 -o cni0 -m comment --comment \"CNI firewall plugin rules "
      "(ingressPolicy: isolated)\" -j DROP\n"
      "-A CNI-ISOLATION-STAGE-1 -i cni0 ! -o cni0 -m comment --comment \"CNI firewall plugin "
      "rules (ingressPolicy: isolated)\" -j CNI-ISOLATION-STAGE-2\n"
      "-A CNI-ISOLATION-STAGE-1 -m comment --comment \"CNI firewall plugin rules (ingressPolicy: "
      "same-bridge|isolated)\" -j RETURN\n"
      "-A CNI-ISOLATION-STAGE-2 -o cni0 -m comment --comment \"CNI firewall plugin rules "
      "(ingressPolicy: same-bridge|isolated)\" -j DROP\n"
      "-A CNI-ISOLATION-STAGE-2 -m comment --comment \"CNI firewall plugin rules (ingressPolicy: "
      "same-bridge|isolated)\" -j RETURN\n");
  EXPECT_EQ(fault(isolated), std::nullopt);
  EXPECT_EQ(shell("nft list tables"), "table ip filter\n") << "only the family that has addresses";
}

TEST_F(IptablesFirewallTest, AddingTwiceChangesNothing) {
  IptablesFirewall what = one_;
  what.policy = IngressPolicy::same_bridge;
  add(what);
  const std::string once = saved();
  add(what);
  EXPECT_EQ(once, saved());
  EXPECT_EQ(fault(what), std::nullopt);
}

TEST_F(IptablesFirewallTest, AnotherBridgesRulesComeFirst) {
  IptablesFirewall what = other_;
  what.policy = IngressPolicy::same_bridge;
  add(what);
  what.addresses = {ip("10.2.2.4")};
  what.bridge = "cni1";
  add(what);
  EXPECT_THAT(shell("iptables-nft -S CNI-ISOLATION-STAGE-2 2"), HasSubstr("-o cni0"));
  EXPECT_THAT(shell("iptables-nft -S CNI-ISOLATION-STAGE-2 1"), HasSubstr("-o cni1"));
}

// Version 1.1.1 has other comments, and our gate for backend nftables has none.
TEST_F(IptablesFirewallTest, RulesWithOtherCommentsWillDo) {
  IptablesFirewall what = other_;
  what.policy = IngressPolicy::same_bridge;
  add(what);
  shell(
      "iptables-save -t filter | sed -e 's/|isolated//' -e 's/-m comment.*-j CNI-FORWARD/-j "
      "CNI-FORWARD/' | iptables-restore");
  EXPECT_EQ(fault(what), std::nullopt);
  const std::string before = saved();
  add(what);
  EXPECT_EQ(before, saved());
}

TEST_F(IptablesFirewallTest, TheLastOneTakesWhatIsSharedAndNothingElse) {
  shell(
      "for i in iptables ip6tables; do $i -P FORWARD DROP; $i -N USER; $i -A USER -s ::1 || "
      "$i -A USER -s 192.0.2.1; $i -A FORWARD -j USER; done 2>/dev/null");
  const std::string before = saved();
  IptablesFirewall isolated = one_;
  isolated.policy = IngressPolicy::isolated;
  add(isolated);
  add(other_);
  EXPECT_EQ(remove(isolated), 4U);
  EXPECT_THAT(shell("iptables -S"), HasSubstr("-j CNI-ISOLATION-STAGE-1"));
  EXPECT_EQ(fault(other_), std::nullopt);
  EXPECT_THAT(shell("ip6tables-save"), Not(HasSubstr("CNI-")));
  EXPECT_EQ(remove(other_), 2U);
  EXPECT_EQ(before, saved());
  EXPECT_EQ(remove(other_), 0U);
}

TEST_F(IptablesFirewallTest, AnAdministratorsChainWithRulesStays) {
  shell("iptables -N MY-ADMIN; iptables -A MY-ADMIN -s 192.0.2.1 -j DROP");
  IptablesFirewall what = other_;
  what.admin_chain = "MY-ADMIN";
  const std::string before = saved();
  add(what);
  EXPECT_EQ(fault(what), std::nullopt);
  EXPECT_EQ(remove(what), 2U);
  EXPECT_EQ(before, saved());
}

TEST_F(IptablesFirewallTest, RulesOfAnAddressThatIsAnothersStay) {
  add(one_);
  const std::string before = saved();
  std::vector<std::string> asked;
  const auto anothers = [&](const IpAddress& address) {
    asked.push_back(address.str());
    return address == ip("10.1.2.3");
  };
  EXPECT_EQ(remove(other_, anothers), 0U);
  EXPECT_THAT(asked, testing::IsEmpty()) << "nobody has rules for it";
  EXPECT_EQ(before, saved());
  EXPECT_EQ(remove(one_, anothers), 2U);
  EXPECT_THAT(asked, testing::UnorderedElementsAre("10.1.2.3", "fd00::3"));
  EXPECT_EQ(fault(firewall({ip("10.1.2.3")})), std::nullopt);
}

TEST_F(IptablesFirewallTest, WhatOthersPutIntoTheSharedChainKeepsIt) {
  add(other_);
  shell("iptables -A CNI-FORWARD -m mark --mark 0x1000/0x1000 -j ACCEPT");
  EXPECT_EQ(remove(other_), 2U);
  EXPECT_THAT(shell("iptables -S"), HasSubstr("-j CNI-FORWARD"));
  EXPECT_THAT(shell("iptables -S"), HasSubstr("-A CNI-FORWARD -m mark"));
}

TEST_F(IptablesFirewallTest, WhoElseJumpsToTheSharedChainKeepsIt) {
  add(other_);
  shell("iptables -N USER; iptables -A USER -j CNI-FORWARD");
  EXPECT_EQ(remove(other_), 2U);
  EXPECT_THAT(shell("iptables -S"), HasSubstr("-A USER -j CNI-FORWARD"));
}

TEST_F(IptablesFirewallTest, HalfOfItIsCompletedAndCheckNamesWhatIsMissing) {
  add(one_);
  const std::string whole = saved();
  shell("iptables -D CNI-FORWARD -s 10.1.2.3 -j ACCEPT; ip6tables -F FORWARD");
  EXPECT_THAT(fault(one_).value_or(""),
              HasSubstr("iptables' table filter lacks the rule \"-A CNI-FORWARD -s 10.1.2.3/32"));
  add(one_);
  EXPECT_EQ(whole, saved());
}

TEST_F(IptablesFirewallTest, LegacyRulesAreSeenAndGo) {
  shell("iptables-legacy -w -A FORWARD -s 192.0.2.1 -j DROP");
  const std::string before =
      shell("iptables-legacy-save -t filter | grep -v '^#' | sed 's/\\[.*//'");
  shell(R"(i=iptables-legacy; $i -N CNI-FORWARD; $i -N CNI-ADMIN
$i -I FORWARD -m comment --comment "CNI firewall plugin rules" -j CNI-FORWARD
$i -A CNI-FORWARD -m comment --comment "CNI firewall plugin admin overrides" -j CNI-ADMIN
$i -A CNI-FORWARD -d 10.1.2.4 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
$i -A CNI-FORWARD -s 10.1.2.4 -j ACCEPT
$i -N CNI-ISOLATION-STAGE-1; $i -N CNI-ISOLATION-STAGE-2
$i -I FORWARD -j CNI-ISOLATION-STAGE-1
$i -A CNI-ISOLATION-STAGE-1 -i cni0 ! -o cni0 -j CNI-ISOLATION-STAGE-2
$i -A CNI-ISOLATION-STAGE-2 -o cni0 -j DROP)");
  EXPECT_EQ(fault(other_), std::nullopt);
  EXPECT_EQ(remove(one_), 0U);
  EXPECT_EQ(remove(other_, [](const IpAddress&) { return true; }), 0U);
  EXPECT_EQ(fault(other_), std::nullopt);
  EXPECT_EQ(remove(other_), 2U);
  EXPECT_EQ(before, shell("iptables-legacy-save -t filter | grep -v '^#' | sed 's/\\[.*//'"));
  EXPECT_EQ("", shell("nft list tables")) << "no nft table is made for it";
}

TEST_F(IptablesFirewallTest, NothingIsThereAndNothingIsMade) {
  EXPECT_EQ(remove(one_), 0U);
  EXPECT_THAT(fault(one_).value_or(""), HasSubstr("has no chain CNI-FORWARD"));
  EXPECT_EQ("", shell("nft list ruleset; cat /proc/thread-self/net/ip_tables_names"));
}

TEST_F(IptablesFirewallTest, ContainersThatRaceAllSucceed) {
  EXPECT_TRUE(in_processes(4, [](int process) {
    Nft nft;
    const IpAddress address = IpAddress::v4(0x0a010203U + static_cast<unsigned>(process));
    for (int round = 0; round < 3; ++round) {
      IptablesFirewall what = firewall({address});
      add_iptables_firewall(nft, what, soon());
      if (find_iptables_firewall_fault(nft, what, soon())) throw Error(Code::internal, "no rules");
      remove_iptables_firewall(nft, {address}, what.admin_chain, nobodys, soon());
    }
  }));
  EXPECT_THAT(saved(), Not(HasSubstr("CNI-")));
}

}  // namespace
}  // namespace unicni::net::iptables_firewall_test
