#include "unicni/netfilter/iptables_ports.h"

#include <gmock/gmock.h>

#include <chrono>

#include "base/deadline_for_test.h"
#include "base/ip_for_test.h"
#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/netfilter/iptables_ports_removal.h"
#include "unicni/netfilter/reference_ports.h"

namespace unicni::net::iptables_ports_test {
namespace {

using testing::HasSubstr;
using testing::Not;

IptablesPorts ports(const char* container, std::vector<IptablesPort> list,
                    const char* address = "10.1.2.2/24") {
  return {.key = {"mynet", container, "eth0"},
          .ports = std::move(list),
          .address4 = ip_net(address),
          .address6 = {},
          .set_mark_chain = {},
          .conditions4 = {},
          .conditions6 = {}};
}

class IptablesPortsTest : public PrivateNetnsTest {
 protected:
  static std::string saved(const std::string& flavour = "-nft") {
    return shell("for i in iptables ip6tables; do $i" + flavour +
                 "-save -t nat; done | grep -v '^#' | sed 's/\\[.*//'");
  }
  void add(const IptablesPorts& what, const IsVoid& is_void = {}) {
    add_iptables_ports(nft_, what, is_void, soon());
  }
  std::optional<std::string> fault(const IptablesPorts& what) {
    return find_iptables_ports_fault(nft_, what, {}, soon());
  }
  std::size_t remove(const std::string& container) {
    return remove_iptables_ports(nft_, "mynet", {container}, soon());
  }
  std::string refusal(const IptablesPorts& what) {
    try {
      add(what);
      return "";
    } catch (const Error& error) {
      return error.msg() + ": " + error.details();
    }
  }
  Nft nft_;
  const IptablesPorts one_ =
      ports("ctr1", {{"tcp", 8080, 80, std::nullopt}, {"udp", 53, 53, std::nullopt}});
};

TEST_F(IptablesPortsTest, RulesAreTheReferences) {
  shell("iptables -t nat -A POSTROUTING -s 10.1.2.2 -j MASQUERADE");
  add(one_);
  EXPECT_EQ(shell("iptables-nft -t nat -S"),
            R"(-P PREROUTING ACCEPT
-P INPUT ACCEPT
-P OUTPUT ACCEPT
-P POSTROUTING ACCEPT
-N CNI-DN-5145007e2a8415ce07579
-N CNI-HOSTPORT-DNAT
-N CNI-HOSTPORT-MASQ
-N CNI-HOSTPORT-SETMARK
-A PREROUTING -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A OUTPUT -m addrtype --dst-type LOCAL -j CNI-HOSTPORT-DNAT
-A POSTROUTING -m comment --comment "CNI portfwd requiring masquerade" -j CNI-HOSTPORT-MASQ
-A POSTROUTING -s 10.1.2.2/32 -j MASQUERADE
-A CNI-DN-5145007e2a8415ce07579 -s 10.1.2.0/24 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-5145007e2a8415ce07579 -s 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-5145007e2a8415ce07579 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.1.2.2:80
-A CNI-DN-5145007e2a8415ce07579 -s 10.1.2.0/24 -p udp -m udp --dport 53 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-5145007e2a8415ce07579 -s 127.0.0.1/32 -p udp -m udp --dport 53 -j CNI-HOSTPORT-SETMARK
-A CNI-DN-5145007e2a8415ce07579 -p udp -m udp --dport 53 -j DNAT --to-destination 10.1.2.2:53
-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \"mynet\" id: \"ctr1\"" -m multiport --dports 8080 -j CNI-DN-5145007e2a8415ce07579
-A CNI-HOSTPORT-DNAT -p udp -m comment --comment "dnat name: \"mynet\" id: \"ctr1\"" -m multiport --dports 53 -j CNI-DN-5145007e2a8415ce07579
-A CNI-HOSTPORT-MASQ -m mark --mark 0x2000/0x2000 -j MASQUERADE
-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000
)");
  EXPECT_EQ(fault(one_), std::nullopt);
  EXPECT_EQ("table ip nat\n", shell("nft list tables")) << "only the family that has an address";
}

TEST_F(IptablesPortsTest, TheLastOneTakesWhatIsSharedAndNothingElse) {
  shell(
      "for i in iptables ip6tables; do $i -t nat -N USER; $i -t nat -A POSTROUTING -j USER; done");
  const std::string before = saved();
  IptablesPorts dual = one_;
  dual.address6 = ip_net("fd00::2/64");
  add(dual);
  EXPECT_EQ(fault(dual), std::nullopt);
  const IptablesPorts other = ports("ctr2", {{"tcp", 8081, 80, std::nullopt}}, "10.1.2.3/24");
  add(other);
  EXPECT_EQ(remove("ctr1"), 4U);
  EXPECT_EQ(fault(other), std::nullopt);
  EXPECT_THAT(shell("ip6tables-save -t nat"), Not(HasSubstr("CNI-")));
  EXPECT_EQ(remove("ctr2"), 1U);
  EXPECT_EQ(before, saved());
  EXPECT_EQ(remove("ctr2"), 0U);
}

TEST_F(IptablesPortsTest, ARepeatedAddReplacesWhatWasThere) {
  add(one_);
  const std::string once = saved();
  add(one_);
  EXPECT_EQ(once, saved());
  add(ports("ctr1", {{"tcp", 9090, 90, std::nullopt}}));
  EXPECT_THAT(saved(), Not(HasSubstr("8080")));
  EXPECT_THAT(saved(), HasSubstr("--dports 9090"));
  EXPECT_THAT(fault(one_).value_or(""), HasSubstr("--dport 8080"));
}

TEST_F(IptablesPortsTest, APortHasOneOwner) {
  add(one_);
  const auto of_other = [](IptablesPort port) { return ports("ctr2", {port}, "10.1.2.3/24"); };
  const std::string text = refusal(of_other({"tcp", 8080, 81, std::nullopt}));
  EXPECT_THAT(text, HasSubstr("8080/tcp is taken by container ctr1 on network mynet"));
  EXPECT_THAT(text, HasSubstr("-t nat -D CNI-HOSTPORT-DNAT"));
  EXPECT_THAT(refusal(of_other({"tcp", 8080, 81, ip("192.0.2.1")})), HasSubstr("taken"));
  EXPECT_THAT(saved(), Not(HasSubstr("ctr2")));
  EXPECT_EQ(refusal(of_other({"udp", 8080, 81, std::nullopt})), "");
  // Two addresses of the host are two claims.
  const IptablesPorts first = ports("ctr3", {{"tcp", 90, 81, ip("192.0.2.1")}});
  EXPECT_EQ(refusal(first), "");
  EXPECT_EQ(refusal(ports("ctr4", {{"tcp", 90, 81, ip("192.0.2.2")}})), "");
  EXPECT_THAT(refusal(ports("ctr5", {{"tcp", 90, 81, ip("0.0.0.0")}})), HasSubstr("ctr3"));
  EXPECT_EQ(refusal(ports("ctr5", {{"tcp", 90, 81, ip("::")}})), "") << "the other family";
}

TEST_F(IptablesPortsTest, AClaimThatIsVoidIsTakenOver) {
  add(one_);
  const IptablesPorts heir = ports("ctr2", {{"tcp", 8080, 81, std::nullopt}}, "10.1.2.3/24");
  std::vector<std::string> asked;
  const auto is_void = [&](const IptablesChainHolder& holder) {
    asked.push_back(holder.network + '/' + holder.container_id);
    return true;
  };
  add(heir, is_void);
  EXPECT_THAT(asked, testing::ElementsAre("mynet/ctr1"));
  EXPECT_EQ(fault(heir), std::nullopt);
  EXPECT_THAT(saved(), Not(HasSubstr("ctr1")));
  EXPECT_THAT(saved(), Not(HasSubstr("CNI-DN-5145007e2a8415ce07579")));
  EXPECT_EQ(remove("ctr1"), 0U);
  EXPECT_EQ(fault(heir), std::nullopt);
}

/// The comments of both are the same but for the network; their chains tell them apart.
TEST_F(IptablesPortsTest, AVoidClaimOfTheSameContainerIsTakenOverAndALivingOneServes) {
  const auto is_old = [](const IptablesChainHolder& holder) {
    return holder.chain == iptables_ports_chain("oldnet", "ctr1");
  };
  const auto is_none = [](const IptablesChainHolder&) { return false; };
  IptablesPorts old = one_;
  old.key.network = "oldnet";
  old.address4 = ip_net("10.1.3.2/24");
  add(old);
  add(one_, is_none);
  EXPECT_THAT(saved(), HasSubstr("10.1.3.2:80")) << "first come, first served";
  EXPECT_EQ(find_iptables_ports_fault(nft_, one_, is_none, soon()), std::nullopt);
  EXPECT_THAT(find_iptables_ports_fault(nft_, one_, is_old, soon()).value_or(""),
              HasSubstr("8080/tcp leads to an attachment that is gone"));
  EXPECT_THAT(find_void_iptables_ports(nft_, one_, is_old, soon()).value_or(""),
              HasSubstr("8080/tcp leads to an attachment that is gone"));
  EXPECT_EQ(find_void_iptables_ports(nft_, one_, is_none, soon()), std::nullopt);
  add(one_, is_old);
  EXPECT_THAT(saved(), Not(HasSubstr("10.1.3.2:80")));
  EXPECT_EQ(find_iptables_ports_fault(nft_, one_, is_old, soon()), std::nullopt);
  add(old, is_none);
  EXPECT_EQ(find_iptables_ports_fault(nft_, one_, is_old, soon()), std::nullopt)
      << "behind ours it gets no packet";
  require_no_iptables_ports(nft_, one_, is_old, soon());
  EXPECT_THAT(saved(), Not(HasSubstr("10.1.3.2:80"))) << "iptables comes before nftables";
}

TEST_F(IptablesPortsTest, SixteenPortsAreTwoEntries) {
  std::vector<IptablesPort> list;
  for (std::uint16_t i = 0; i < 16; ++i) {
    list.push_back({"tcp", static_cast<std::uint16_t>(8000 + i), 80, std::nullopt});
  }
  const IptablesPorts many = ports("ctr1", list);
  add(many);
  EXPECT_EQ(fault(many), std::nullopt);
  EXPECT_THAT(saved(), HasSubstr("--dports 8000,8001,8002,8003,8004,8005,8006,8007,8008,8009,8010,"
                                 "8011,8012,8013,8014 -j"));
  EXPECT_THAT(saved(), HasSubstr("--dports 8015 -j"));
  EXPECT_EQ(remove("ctr1"), 2U);
}

TEST_F(IptablesPortsTest, AConditionIsOneArgumentWhateverIsInIt) {
  IptablesPorts what = one_;
  what.conditions4 = {"!", "-s", "192.0.2.1", "-m", "comment", "--comment", "a \"b\" \\ -j DROP"};
  add(what);
  EXPECT_THAT(shell("iptables-save -t nat"),
              HasSubstr(R"(--comment "a \"b\" \\ -j DROP" -j CNI-DN-)"));
  EXPECT_EQ(fault(what), std::nullopt);
  EXPECT_EQ(remove("ctr1"), 2U);
  what.conditions4 = {"-s", "192.0.2.1\n-A INPUT -j DROP"};
  EXPECT_THAT(refusal(what), HasSubstr("line break"));
  what.conditions4 = {"-t", "filter"};
  EXPECT_THAT(refusal(what), HasSubstr("exit status"));
}

TEST_F(IptablesPortsTest, AMarkChainOfOthersIsUsedAndStays) {
  IptablesPorts what = one_;
  what.set_mark_chain = "KUBE-MARK-MASQ";
  EXPECT_THAT(refusal(what), HasSubstr("KUBE-MARK-MASQ")) << "it must be there";
  shell("iptables -t nat -N KUBE-MARK-MASQ");
  const std::string before = saved();
  add(what);
  EXPECT_EQ(fault(what), std::nullopt);
  EXPECT_THAT(saved(), HasSubstr("--dport 8080 -j KUBE-MARK-MASQ"));
  EXPECT_THAT(saved(), Not(HasSubstr("SETMARK")));
  EXPECT_EQ(remove("ctr1"), 2U);
  EXPECT_EQ(before, saved());
}

TEST_F(IptablesPortsTest, APortThatIsWrittenTwiceHasItsRulesOnce) {
  IptablesPorts twice = one_;
  twice.ports = {{"tcp", 8080, 80, std::nullopt}, {"tcp", 8080, 80, ip("0.0.0.0")}};
  add(twice);
  EXPECT_EQ(fault(twice), std::nullopt);
  const std::string chain = shell("iptables-nft -t nat -S CNI-DN-5145007e2a8415ce07579");
  EXPECT_EQ(chain.find("DNAT"), chain.rfind("DNAT")) << chain;
  EXPECT_EQ(remove("ctr1"), 1U);
}

TEST_F(IptablesPortsTest, AChainThatAnotherJumpsToIsEmptiedAndTheRestGoes) {
  for (const char* flavour : {"iptables-nft", "iptables-legacy"}) {
    const std::string tool = flavour;
    if (tool == "iptables-nft") {
      add(one_);
    } else {
      // As the reference on such a host makes it.
      shell(
          "iptables-legacy -t nat -N CNI-HOSTPORT-DNAT; iptables-legacy -t nat -N "
          "CNI-DN-5145007e2a8415ce07579; iptables-legacy -t nat -A PREROUTING -j "
          "CNI-HOSTPORT-DNAT; iptables-legacy -t nat -A CNI-HOSTPORT-DNAT -p tcp --dport 8080 -j "
          "CNI-DN-5145007e2a8415ce07579; iptables-legacy -t nat -A CNI-DN-5145007e2a8415ce07579 -p "
          "tcp --dport 8080 -j DNAT --to-destination 10.1.2.2:80");
    }
    shell(tool + " -t nat -N USER; " + tool + " -t nat -A USER -j CNI-DN-5145007e2a8415ce07579");
    EXPECT_GE(remove("ctr1"), 1U) << tool;
    EXPECT_EQ(shell(tool + " -t nat -S CNI-DN-5145007e2a8415ce07579"),
              "-N CNI-DN-5145007e2a8415ce07579\n");
    EXPECT_THAT(shell(tool + " -t nat -S"), Not(HasSubstr("CNI-HOSTPORT"))) << tool;
    shell(tool + " -t nat -F USER");
    remove("ctr1");
    EXPECT_THAT(shell(tool + " -t nat -S"), Not(HasSubstr("CNI-"))) << tool;
  }
}

TEST_F(IptablesPortsTest, AChainWithoutEntryKeepsItsMark) {
  add(one_);
  add(ports("ctr2", {{"tcp", 8081, 80, std::nullopt}}));
  shell("iptables -t nat -F CNI-HOSTPORT-DNAT");
  EXPECT_EQ(remove("ctr1"), 0U);
  EXPECT_THAT(saved(), HasSubstr("CNI-HOSTPORT-SETMARK"));
  EXPECT_THAT(fault(one_).value_or(""), HasSubstr("has no chain CNI-DN-"));
}

TEST_F(IptablesPortsTest, LegacyRulesAreSeenAndGo) {
  shell("iptables-legacy -t nat -A POSTROUTING -s 192.0.2.1 -j ACCEPT");
  const std::string before = saved("-legacy");
  add(one_);
  shell("iptables-nft-save -t nat | iptables-legacy-restore --noflush; nft flush ruleset");
  EXPECT_EQ(fault(one_), std::nullopt);
  EXPECT_EQ(remove("ctr2"), 0U);
  EXPECT_EQ(remove("ctr1"), 2U);
  EXPECT_EQ(before, saved("-legacy"));
  EXPECT_EQ("", shell("nft list tables")) << "no nft table is made for it";
}

TEST_F(IptablesPortsTest, NothingIsThereAndNothingIsMade) {
  EXPECT_EQ(remove("ctr1"), 0U);
  EXPECT_EQ(0U, remove_reference_ports(nft_, {{"mynet", "ctr1", ""}, {}, true}, soon()));
  EXPECT_EQ("", shell("nft list ruleset; cat /proc/thread-self/net/ip_tables_names"));
}

TEST_F(IptablesPortsTest, ContainersThatRaceAllSucceed) {
  EXPECT_TRUE(in_processes(4, [](int process) {
    Nft nft;
    const std::string container = "ctr" + std::to_string(process);
    const auto port = static_cast<std::uint16_t>(8080 + process);
    const IptablesPorts what = ports(container.c_str(), {{"tcp", port, 80, std::nullopt}});
    for (int round = 0; round < 3; ++round) {
      add_iptables_ports(nft, what, {}, soon());
      if (find_iptables_ports_fault(nft, what, {}, soon())) throw Error(Code::internal, "no rules");
      remove_iptables_ports(nft, "mynet", {container}, soon());
    }
  }));
  EXPECT_THAT(saved(), Not(HasSubstr("CNI-")));
}

TEST_F(IptablesPortsTest, LongNamesAreCutAsIptablesCutsThem) {
  IptablesPorts longest = one_;
  longest.key.network = std::string(128, 'n');
  longest.key.container_id = std::string(140, 'c');
  add(longest);
  EXPECT_EQ(fault(longest), std::nullopt);
  EXPECT_THAT(saved(), HasSubstr("ccc..\""));
  EXPECT_EQ(2U,
            remove_iptables_ports(nft_, longest.key.network, {longest.key.container_id}, soon()));
}

// What 1.9.1 makes with "backend": "nftables"; Debian's version can't.
constexpr const char* kTables = R"(cat <<'END' | nft -f -
table ip cni_hostport {
  comment "CNI portmap plugin"
  chain hostports {
    tcp dport 8080 dnat to 10.1.2.2:80 comment "ctr1"
    ip daddr 192.0.2.1 udp dport 53 dnat to 10.1.2.2:53 comment "ctr1"
    tcp dport 8081 dnat to 10.2.2.2:80 comment "ctr1"
    tcp dport 9090 dnat to 10.1.2.9:80 comment "ctr9"
  }
  chain hostip_hostports { }
  chain hostports_all { jump hostip_hostports; jump hostports; }
  chain prerouting { type nat hook prerouting priority dstnat; fib daddr type local jump hostports_all; }
  chain output { type nat hook output priority -100; fib daddr type local jump hostports_all; }
  chain masquerading {
    type nat hook postrouting priority srcnat
    ip saddr 10.1.2.2 ip daddr 10.1.2.2 masquerade comment "ctr1"
    ip saddr 127.0.0.1 ip daddr 10.1.2.2 masquerade comment "ctr1"
    ip saddr 127.0.0.1 ip daddr 10.2.2.2 masquerade comment "ctr1"
  }
}
table ip6 cni_hostport {
  chain hostports { tcp dport 8080 dnat to [fd00::2]:80 comment "ctr1"; }
  chain masquerading {
    type nat hook postrouting priority srcnat
    ip6 saddr fd00::2 ip6 daddr fd00::2 masquerade comment "ctr1"
  }
}
END)";

TEST_F(IptablesPortsTest, NftablesRulesOfTheReferenceGoByContainerAndAddress) {
  shell(kTables);
  const ReferencePorts of_net{{"mynet", "ctr1", ""}, {ip("10.1.2.2"), ip("fd00::2")}};
  EXPECT_EQ(0U, remove_reference_ports(nft_, {{"mynet", "ctr1", ""}, {}}, soon()));
  EXPECT_EQ(0U, remove_reference_ports(nft_, {{"mynet", "ctr2", ""}, of_net.addresses}, soon()));
  EXPECT_EQ(6U, remove_reference_ports(nft_, of_net, soon()));
  const std::string left = shell("nft list ruleset");
  EXPECT_THAT(left, Not(HasSubstr("10.1.2.2")));
  EXPECT_THAT(left, Not(HasSubstr("table ip6"))) << "the table goes with its last rule";
  EXPECT_THAT(left, HasSubstr("dnat to 10.2.2.2:80")) << "another network of the container";
  EXPECT_THAT(left, HasSubstr("ip daddr 10.2.2.2 masquerade"));
  EXPECT_EQ(2U, remove_reference_ports(nft_, {{"mynet", "ctr1", ""}, {}, true}, soon()));
  EXPECT_EQ(1U, remove_reference_ports(nft_, {{"mynet", "ctr9", ""}, {ip("10.1.2.9")}}, soon()));
  EXPECT_EQ("", shell("nft list ruleset"));
}

}  // namespace
}  // namespace unicni::net::iptables_ports_test
