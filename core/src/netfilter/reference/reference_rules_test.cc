#include "unicni/netfilter/reference_rules.h"

#include <gmock/gmock.h>

#include <chrono>

#include "base/deadline_for_test.h"
#include "base/ip_for_test.h"
#include "netfilter/iptables/legacy_table.h"
#include "netfilter/reference/reference_for_test.h"
#include "unicni/error.h"

namespace unicni::net::reference_rules_test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kChain = "CNI-5145007e2a8415ce07579739";  // of mynet and ctr1
constexpr const char* kSave = "iptables-save -t nat; ip6tables-save -t nat";
constexpr const char* kSaveLegacy = "iptables-legacy-save -t nat; ip6tables-legacy-save -t nat";
/// Without what differs from one listing to the next.
constexpr const char* kStable = " | grep -v '^#' | sed 's/\\[.*//'";

ReferenceMasquerade of(const std::vector<IpAddress>& addresses, const char* if_name = "eth0") {
  return {{"mynet", "ctr1", if_name}, addresses};
}
ReferenceMasquerade of_nobody_left() { return {{"mynet", "ctr1", "eth0"}, {}, true}; }

class ReferenceRulesTest : public ReferenceTest {
 protected:
  static std::string stable(const std::string& command) {
    return shell("{ " + command + "; }" + kStable);
  }
  std::size_t remove(const ReferenceMasquerade& what) {
    return remove_reference_masquerade(nft_, what, soon());
  }
  Nft nft_;
};

TEST_F(ReferenceRulesTest, NothingIsThereAndNothingIsMade) {
  EXPECT_EQ(0U, remove(of({ip("10.1.2.3"), ip("fd00::3")})));
  EXPECT_EQ(0U, remove(of_nobody_left()));
  EXPECT_EQ(0U, remove_reference_spoof_check(nft_, "ctr1", "eth0"));
  EXPECT_EQ("", shell("nft list ruleset; cat /proc/thread-self/net/ip_tables_names "
                      "/proc/thread-self/net/ip6_tables_names"));
}

TEST_F(ReferenceRulesTest, IptablesNftRulesOfADeadContainerGo) {
  reference("ADD", "eth0", "10.1.2.3/24", "fd00::3/64");
  shell("ip link del cni0 && iptables -t nat -A POSTROUTING -s 10.1.2.3 -j MASQUERADE");
  ASSERT_THAT(shell(kSave), HasSubstr(kChain));
  const std::string others = stable("{ " + std::string(kSave) + "; } 2>&1 | grep -v CNI-");
  EXPECT_EQ(2U, remove(of({ip("10.1.2.3"), ip("fd00::3")})));
  EXPECT_EQ(others, stable(kSave)) << "what isn't the attachment's stays";
  EXPECT_EQ(0U, remove(of({ip("10.1.2.3"), ip("fd00::3")})));
}

TEST_F(ReferenceRulesTest, WithoutAddressesTheGoneContainerIsEnough) {
  reference("ADD", "eth0", "10.1.2.3/24", "fd00::3/64");
  const std::string before = stable(kSave);
  EXPECT_EQ(0U, remove(of({})));
  EXPECT_EQ(0U, remove(of({ip("10.1.2.4")}))) << "another attachment's address";
  EXPECT_EQ(before, stable(kSave));
  EXPECT_EQ(2U, remove(of_nobody_left()));
  EXPECT_THAT(shell(kSave), Not(HasSubstr("CNI-")));
}

TEST_F(ReferenceRulesTest, ASecondAttachmentOfTheContainerKeepsTheChain) {
  reference("ADD", "eth0", "10.1.2.3/24", "fd00::3/64");
  reference("ADD", "eth1", "10.1.2.4/24", "fd00::4/64");
  EXPECT_EQ(2U, remove(of({ip("10.1.2.3"), ip("fd00::3")})));
  const std::string left = shell(kSave);
  EXPECT_THAT(left, Not(HasSubstr("-s 10.1.2.3/32")));
  EXPECT_THAT(left, HasSubstr("-A POSTROUTING -s 10.1.2.4/32"));
  EXPECT_THAT(left, HasSubstr("-A POSTROUTING -s fd00::4/128"));
  EXPECT_THAT(left, HasSubstr(std::string("-A ") + kChain + " ! -d 224.0.0.0/4"));
  EXPECT_EQ(2U, remove(of({ip("10.1.2.4"), ip("fd00::4")}, "eth1")));
  EXPECT_THAT(shell(kSave), Not(HasSubstr("CNI-")));
}

TEST_F(ReferenceRulesTest, TheNextOwnerOfAnAddressKeepsItsRules) {
  reference("ADD", "eth0", "10.1.2.3/24", "fd00::3/64", "other");
  const std::string before = stable(kSave);
  EXPECT_EQ(0U, remove(of({ip("10.1.2.3"), ip("fd00::3")})));
  EXPECT_EQ(before, stable(kSave));
}

TEST_F(ReferenceRulesTest, JumpsOfAWholeSubnetAreOldOnes) {
  reference("ADD", "eth0", "10.1.2.3/24", "fd00::3/64");
  shell(std::string("iptables -t nat -A POSTROUTING -s 10.1.2.3/22 -j ") + kChain);
  shell(std::string("iptables -t nat -A POSTROUTING -s 10.1.2.3/24 -j ") + kChain);
  EXPECT_EQ(4U, remove(of({ip("10.1.2.3"), ip("fd00::3")})));
  EXPECT_THAT(shell(kSave), Not(HasSubstr("CNI-")));
}

TEST_F(ReferenceRulesTest, AChainThatNothingJumpsToGoes) {
  shell(std::string("iptables -t nat -N ") + kChain);
  EXPECT_EQ(0U, remove(of({})));
  EXPECT_THAT(shell(kSave), Not(HasSubstr("CNI-")));
}

TEST_F(ReferenceRulesTest, AChainThatSomebodyElseUsesIsNamed) {
  reference("ADD", "eth0", "10.1.2.3/24", "fd00::3/64");
  shell(std::string("iptables -t nat -N USER && iptables -t nat -A USER -j ") + kChain);
  try {
    remove(of_nobody_left());
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.msg(), HasSubstr(kChain));
    EXPECT_THAT(error.msg(), HasSubstr("EBUSY"));
  }
  EXPECT_THAT(shell("iptables-save -t nat"), Not(HasSubstr("-A POSTROUTING")));
  EXPECT_THAT(shell("ip6tables-save -t nat"), Not(HasSubstr("CNI-"))) << "goes on past errors";
}

TEST_F(ReferenceRulesTest, LegacyRulesOfADeadContainerGo) {
  use_legacy_iptables();
  reference("ADD", "eth0", "10.1.2.3/24", "fd00::3/64");
  reference("ADD", "eth1", "10.1.2.4/24", "fd00::4/64");
  shell("iptables-legacy -t nat -A POSTROUTING -s 10.1.2.3 -j MASQUERADE");
  ASSERT_THAT(shell(kSaveLegacy), HasSubstr(kChain));
  EXPECT_TRUE(legacy_has_chain(Family::v4, "nat", kChain));
  const std::string others = stable("{ " + std::string(kSaveLegacy) + "; } 2>&1 | grep -v CNI-");
  EXPECT_EQ(0U, remove(of({})));
  EXPECT_EQ(2U, remove(of({ip("10.1.2.3"), ip("fd00::3")})));
  EXPECT_THAT(shell(kSaveLegacy), HasSubstr("-A POSTROUTING -s 10.1.2.4/32"));
  EXPECT_EQ(2U, remove(of_nobody_left()));
  EXPECT_EQ(others, stable(kSaveLegacy));
  EXPECT_FALSE(legacy_has_chain(Family::v4, "nat", kChain));
  EXPECT_FALSE(legacy_has_chain(Family::v6, "nat", kChain));
  EXPECT_EQ("", shell("nft list tables")) << "no nft table is made for it";
}

TEST_F(ReferenceRulesTest, ALegacyTableWithoutOurChainStaysAsItIs) {
  shell("iptables-legacy -t nat -A POSTROUTING -s 10.1.2.3 -j MASQUERADE");
  const std::string before = stable(kSaveLegacy);
  EXPECT_EQ(0U, remove(of_nobody_left()));
  EXPECT_EQ(before, stable(kSaveLegacy));
}

// What 1.9.1 makes for "ipMasqBackend": "nftables"; Debian's version can't.
constexpr const char* kMasqueradeTable = R"(table inet cni_plugins_masquerade {
	comment "Masquerading for plugins from github.com/containernetworking/plugins"
	chain masq_checks {
		comment "Masquerade traffic from certain IPs to any (non-multicast) IP outside their subnet"
		ip saddr 10.1.2.2 ip daddr != 10.1.2.0/24 masquerade comment "d23676b4f2d9fe04-7883a6f9ce71eedb, net: mynet, if: eth0, id: ctr1"
		ip6 saddr fd00::2 ip6 daddr != fd00::/64 masquerade comment "d23676b4f2d9fe04-7883a6f9ce71eedb, net: mynet, if: eth0, id: ctr1"
		ip saddr 10.1.2.3 ip daddr != 10.1.2.0/24 masquerade comment "d23676b4f2d9fe04-0000000000000000, net: mynet, if: eth1, id: ctr1"
	}

	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip daddr 224.0.0.0/4 return
		ip6 daddr ff00::/8 return
		goto masq_checks
	}
}
)";

TEST_F(ReferenceRulesTest, NftablesRulesOfTheAttachmentGo) {
  shell(std::string("echo '") + kMasqueradeTable + "' | nft -f -");
  const std::string before = shell("nft list ruleset");
  EXPECT_EQ(0U, remove({"mynet", "ctr2", "eth0", {ip("10.1.2.2")}, true}));
  EXPECT_EQ(before, shell("nft list ruleset"));
  EXPECT_EQ(2U, remove(of({}))) << "the comment is enough";
  const std::string left = shell("nft list ruleset");
  EXPECT_EQ(shell(std::string("echo '") + kMasqueradeTable + "' | grep -v 7883a6f9ce71eedb"),
            left + '\n');
  EXPECT_EQ(0U, remove(of({})));
}

constexpr const char* kSpoofTable = R"(table bridge nat {
	chain PREROUTING {
		type filter hook prerouting priority dstnat; policy accept;
		iifname "vethA" jump cni-br-iface-ctr1-eth0 comment "macspoofchk-ctr1-eth0"
		iifname "vethB" jump cni-br-iface-ctr2-eth0 comment "macspoofchk-ctr2-eth0"
		iifname "vethA" jump cni-br-iface-ctr1-eth0 comment "macspoofchk-ctr1-eth0"
	}

	chain cni-br-iface-ctr1-eth0 {
		jump cni-br-iface-ctr1-eth0-mac comment "macspoofchk-ctr1-eth0"
	}

	chain cni-br-iface-ctr1-eth0-mac {
		ether saddr 02:00:00:00:00:01 return comment "macspoofchk-ctr1-eth0"
		drop comment "macspoofchk-ctr1-eth0"
	}

	chain cni-br-iface-ctr2-eth0 {
		jump cni-br-iface-ctr2-eth0-mac comment "macspoofchk-ctr2-eth0"
	}

	chain cni-br-iface-ctr2-eth0-mac {
		ether saddr 02:00:00:00:00:02 return comment "macspoofchk-ctr2-eth0"
		drop comment "macspoofchk-ctr2-eth0"
	}
}
)";

TEST_F(ReferenceRulesTest, SpoofCheckChainsGoWithAllJumps) {
  shell(std::string("echo '") + kSpoofTable + "' | nft -f -");
  EXPECT_EQ(2U, remove_reference_spoof_check(nft_, "ctr1", "eth0")) << "repeated ADDs repeat it";
  const std::string left = shell("nft list ruleset");
  EXPECT_THAT(left, Not(HasSubstr("ctr1")));
  EXPECT_THAT(left, HasSubstr("iifname \"vethB\" jump cni-br-iface-ctr2-eth0"));
  EXPECT_THAT(left, HasSubstr("ether saddr 02:00:00:00:00:02 return"));
  EXPECT_EQ(0U, remove_reference_spoof_check(nft_, "ctr1", "eth0"));
  EXPECT_EQ(1U, remove_reference_spoof_check(nft_, "ctr2", "eth0"));
  EXPECT_EQ(
      "table bridge nat {\n\tchain PREROUTING {\n\t\ttype filter hook prerouting priority "
      "dstnat; policy accept;\n\t}\n}\n",
      shell("nft list ruleset"))
      << "the shared part stays, as with the reference";
}

TEST_F(ReferenceRulesTest, HalfOfASpoofCheckGoes) {
  shell("nft add table bridge nat && nft add chain bridge nat cni-br-iface-ctr1-eth0-mac");
  EXPECT_EQ(0U, remove_reference_spoof_check(nft_, "ctr1", "eth0"));
  EXPECT_EQ("table bridge nat {\n}\n", shell("nft list ruleset"));
}

TEST_F(ReferenceRulesTest, IdsTooLongForAChainNameAreAbsent) {
  EXPECT_EQ(0U, remove_reference_spoof_check(nft_, std::string(300, 'c'), "eth0"));
  EXPECT_EQ(0U, remove({std::string(300, 'n'), std::string(300, 'c'), "eth0", {}, true}));
}

}  // namespace
}  // namespace unicni::net::reference_rules_test
