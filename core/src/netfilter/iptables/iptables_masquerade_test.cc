#include "unicni/netfilter/iptables_masquerade.h"

#include <gmock/gmock.h>

#include <chrono>

#include "base/deadline_for_test.h"
#include "base/in_namespace_for_test.h"
#include "base/ip_for_test.h"
#include "netfilter/reference/reference_for_test.h"
#include "unicni/error.h"
#include "unicni/netfilter/reference_rules.h"

namespace unicni::net::iptables_masquerade_test {
namespace {

using testing::HasSubstr;
using testing::Not;

IptablesMasquerade masquerade(const char* if_name, const char* address4, const char* address6) {
  return {{"mynet", "ctr1", if_name}, {ip_net(address4), ip_net(address6)}};
}
ReferenceMasquerade removal_of(const IptablesMasquerade& what) {
  ReferenceMasquerade removal{what.key, {}};
  for (const IpNet& address : what.addresses) removal.addresses.push_back(address.address());
  return removal;
}

class IptablesTest : public ReferenceTest {
 protected:
  static std::string rules() {
    return shell("for i in iptables ip6tables; do $i-save -t nat; done | grep -e ^-A -e :CNI");
  }
  bool has(const IptablesMasquerade& what) { return has_iptables_masquerade(nft_, what, soon()); }
  void add(const IptablesMasquerade& what) { add_iptables_masquerade(nft_, what, soon()); }
  std::size_t remove(const IptablesMasquerade& what) {
    return remove_reference_masquerade(nft_, removal_of(what), soon());
  }
  const IptablesMasquerade eth0_ = masquerade("eth0", "10.1.2.3/24", "fd00::3/64");
  const IptablesMasquerade eth1_ = masquerade("eth1", "10.1.2.4/24", "fd00::4/64");
  Nft nft_;
};

TEST_F(IptablesTest, MakesWhatTheReferenceMakes) {
  reference("ADD", "eth0", "10.1.2.3/24", "fd00::3/64");
  const std::string wanted = rules();
  shell("nft flush ruleset");
  add(eth0_);
  EXPECT_EQ(wanted, rules());
  EXPECT_TRUE(has(eth0_));
  // Each finds the other's.
  reference("DEL", "eth0", "10.1.2.3/24", "fd00::3/64");
  EXPECT_THAT(shell("nft list ruleset"), Not(HasSubstr("CNI-")));
  EXPECT_FALSE(has(eth0_));
}

TEST_F(IptablesTest, AddingTwiceChangesNothing) {
  add(eth0_);
  const std::string once = rules();
  add(eth0_);
  EXPECT_EQ(once, rules());
}

TEST_F(IptablesTest, ASecondAttachmentSharesTheChain) {
  add(eth0_);
  EXPECT_FALSE(has(eth1_));
  add(eth1_);
  EXPECT_TRUE(has(eth0_));
  EXPECT_TRUE(has(eth1_));
  EXPECT_EQ(2U, remove(eth0_));
  EXPECT_FALSE(has(eth0_));
  EXPECT_TRUE(has(eth1_));
  EXPECT_EQ(2U, remove(eth1_));
  EXPECT_THAT(shell("nft list ruleset"), Not(HasSubstr("CNI-")));
}

TEST_F(IptablesTest, HalfOfItIsCompleted) {
  add(eth0_);
  const std::string whole = rules();
  shell("iptables -t nat -F POSTROUTING && ip6tables -t nat -F CNI-5145007e2a8415ce07579739");
  EXPECT_FALSE(has(eth0_));
  add(eth0_);
  EXPECT_TRUE(has(eth0_));
  EXPECT_EQ(whole, rules());
}

TEST_F(IptablesTest, CheckSeesRulesOfBothFlavours) {
  use_legacy_iptables();
  reference("ADD", "eth0", "10.1.2.3/24", "fd00::3/64");
  EXPECT_TRUE(has(eth0_));
  EXPECT_FALSE(has(eth1_));
  shell("ip6tables-legacy -t nat -F POSTROUTING");
  EXPECT_FALSE(has(eth0_));
}

TEST_F(IptablesTest, NothingIsThereAndNothingIsMade) {
  EXPECT_FALSE(has(eth0_));
  EXPECT_TRUE(has({"mynet", "ctr1", "eth0", {}}));
  add({"mynet", "ctr1", "eth0", {}});
  EXPECT_EQ("", shell("nft list ruleset; cat /proc/thread-self/net/ip_tables_names"));
}

TEST_F(IptablesTest, OneFamilyOnlyTouchesOne) {
  add({{"mynet", "ctr1", "eth0"}, {ip_net("10.1.2.3/24")}});
  EXPECT_EQ("table ip nat\n", shell("nft list tables"));
}

TEST_F(IptablesTest, TwoAddressesOfASubnetShareItsRule) {
  const IptablesMasquerade two{{"mynet", "ctr1", "eth0"},
                               {ip_net("10.1.2.3/24"), ip_net("10.1.2.9/24")}};
  add(two);
  EXPECT_TRUE(has(two));
  const std::string saved = rules();
  EXPECT_THAT(saved, HasSubstr("-s 10.1.2.3/32"));
  EXPECT_THAT(saved, HasSubstr("-s 10.1.2.9/32"));
  EXPECT_EQ(saved.find("-d 10.1.2.0/24"), saved.rfind("-d 10.1.2.0/24"));
  EXPECT_EQ(saved.find("MASQUERADE"), saved.rfind("MASQUERADE"));
}

TEST_F(IptablesTest, NamesThatFillTheComment) {
  const IptablesMasquerade longest{{std::string(128, 'n'), std::string(140, 'c'), "eth0"},
                                   {ip_net("10.1.2.3/24")}};
  add(longest);
  add(longest);
  EXPECT_TRUE(has(longest));
  EXPECT_EQ(1U, remove(longest));
}

TEST_F(IptablesTest, ATableThatIptablesCannotUseIsReported) {
  shell(
      "nft 'add table ip nat; add chain ip nat POSTROUTING { type nat hook postrouting priority "
      "0; }; add set ip nat s { type ipv4_addr; }; add rule ip nat POSTROUTING ip saddr @s "
      "accept'");
  try {
    add(eth0_);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ("add chain CNI-5145007e2a8415ce07579739 to iptables' table nat", error.msg());
    EXPECT_THAT(error.details(), HasSubstr("iptables-restore: exit status"));
  }
}

TEST_F(IptablesTest, WithoutTheProgramThePackageAndTheAlternativeAreNamed) {
  in_namespace(CLONE_NEWNET | CLONE_NEWNS, [this] {
    ASSERT_EQ(0, ::mount("none", "/usr/sbin", "tmpfs", 0, nullptr)) << errno;
    Nft nft;
    try {
      add_iptables_masquerade(nft, eth0_, soon());
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ("there is no iptables-restore on this host", error.msg());
      EXPECT_THAT(error.details(), HasSubstr("package iptables"));
      EXPECT_THAT(error.details(), HasSubstr("\"ipMasqBackend\": \"nftables\""));
    }
  });
}

TEST_F(IptablesTest, ContainersThatRaceAllSucceed) {
  EXPECT_TRUE(in_processes(4, [](int process) {
    Nft nft;
    IptablesMasquerade what{{"mynet", "ctr1", "eth" + std::to_string(process)}, {}};
    what.addresses.push_back(
        IpNet(IpAddress::v4(0x0a010203U + static_cast<unsigned>(process)), 24));
    add_iptables_masquerade(nft, what, soon());
    if (!has_iptables_masquerade(nft, what, soon())) throw Error(Code::internal, "not there");
  }));
  EXPECT_EQ("4\n", shell("iptables-save -t nat | grep -c '^-A POSTROUTING'"));
}

}  // namespace
}  // namespace unicni::net::iptables_masquerade_test
