// A base that somebody damaged, seen by CHECK and mended by the next ADD.
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <netinet/in.h>

#include "net/netlink_socket.h"
#include "net/private_netns_for_test.h"
#include "netfilter/nft/base.h"
#include "unicni/error.h"
#include "unicni/netfilter/nft.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::net::mend_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class NftMendTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    if (IsSkipped()) return;
    nft_.add(both(own_, checked_), shared_);
    whole_ = shell("nft list ruleset");
  }

  static std::vector<NftElement> both(std::vector<NftElement> first,
                                      const std::vector<NftElement>& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
  }
  std::string fault() {
    try {
      nft_.require_effective(both(own_, checked_), shared_);
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Code::internal));
      EXPECT_NE("", error.details());
      return error.msg();
    }
    return "";
  }
  /// What the next attachment of the host does.
  void add_another() {
    nft_.add({masq("10.1.0.6/16", "net/c2/eth0")}, shared_);
    nft_.remove({masq("10.1.0.6/16", "net/c2/eth0")});
  }

  static NftElement masq(const char* address, const char* owner) {
    return masquerade_element(IpNet::parse(address).value(), owner);
  }
  static std::vector<NftElement> port() {
    PublishedPort made;
    made.protocol = IPPROTO_TCP;
    made.host_port = 8080;
    made.container = IpAddress::parse("10.1.0.5").value();
    made.container_port = 80;
    made.prefix = 16;
    return port_elements(made, "net/c1/eth0", "net").own;
  }

  const std::vector<NftElement> own_ =
      both({masq("10.1.0.5/16", "net/c1/eth0"), masq("10.1.0.5/24", "net/c1/eth0"),
            masq("fd00::5/64", "net/c1/eth0"),
            forward_element("br0", IpAddress::parse("fd00::5").value(), "net/c1/eth0")},
           port());
  const std::vector<NftElement> shared_{forward_interface_element("br0", "net")};
  const std::vector<NftElement> checked_ =
      spoof_check_elements("veth1", Mac::parse("02:00:00:00:00:01").value(), "net/c1/eth0");
  Nft nft_;
  std::string whole_;
};

TEST_F(NftMendTest, AWholeBaseIsEffective) { EXPECT_EQ("", fault()); }

TEST_F(NftMendTest, MissingElementsAreNamed) {
  shell("nft delete element inet unicni masq4_16 { 10.1.0.5 . 10.1.0.0 }");
  EXPECT_EQ("10.1.0.5 . 10.1.0.0 in set masq4_16 of table inet unicni is missing", fault());
  nft_.add(own_, {});
  shell("nft delete element bridge unicni port_checked { veth1 }");
  EXPECT_EQ("veth1 in set port_checked of table bridge unicni is missing", fault());
  nft_.add(checked_, {});
  shell("nft delete element inet unicni net_if { br0 }");
  EXPECT_EQ("br0 in set net_if of table inet unicni is missing", fault());
  nft_.add({}, {forward_interface_element("br0", "other")});
  EXPECT_EQ("", fault()) << "whoever owns it";
}

TEST_F(NftMendTest, AForeignOwnerIsNamed) {
  nft_.remove({own_[0]});
  nft_.add({masq("10.1.0.5/16", "net/c9/eth0")}, {});
  EXPECT_EQ("10.1.0.5 . 10.1.0.0 in set masq4_16 of table inet unicni belongs to \"net/c9/eth0\"",
            fault());
}

TEST_F(NftMendTest, FlushedChainsAreFoundAndWrittenAnew) {
  // Sets and elements stay: everything looks fine but nothing works.
  shell("nft flush table inet unicni");
  EXPECT_THAT(fault(), HasSubstr("of table inet unicni lacks rules"));
  nft_.add(own_, shared_);
  EXPECT_EQ("", fault());
  EXPECT_EQ(whole_, shell("nft list ruleset"));
}

TEST_F(NftMendTest, EachMissingRuleIsFound) {
  const std::string rules =
      "nft -a list ruleset | awk '/^table/ {table = $2 \" \" $3} /^\\tchain/ "
      "{chain = $2} /^\\t\\t.* handle / {print table, chain, \"handle\", $NF}'";
  const auto count = std::stoul(shell(rules + " | wc -l"));
  ASSERT_EQ(12U + 1U + 10U + 14U + 3U, count) << "masquerade, hairpin, ports, forward, bridge";
  for (std::size_t i = 1; i <= count; ++i) {
    shell(fmt::format("nft delete rule $({} | sed -n {}p)", rules, i));
    EXPECT_THAT(fault(), HasSubstr("lacks rules")) << "rule " << i;
    nft_.add(both(own_, checked_), shared_);
    EXPECT_EQ("", fault()) << "rule " << i;
    EXPECT_EQ(whole_, shell("nft list ruleset"));
  }
}

/// Which rule uses don't tell, as elements lead to it as well.
TEST_F(NftMendTest, AFlushedChainThatElementsLeadToIsMendedByTheNextAdd) {
  PublishedPort marked;
  marked.protocol = IPPROTO_TCP;
  marked.host_port = 8081;
  marked.container = IpAddress::parse("10.1.0.6").value();
  marked.container_port = 80;
  marked.prefix = 16;
  marked.mark_bit = 13;
  const PortElements elements = port_elements(marked, "net/c2/eth0", "net");
  nft_.add(elements.own, elements.shared);
  shell("nft flush chain inet unicni bit_13");
  EXPECT_THROW(nft_.require_effective(elements.own), Error);
  marked.host_port = 8082;
  marked.container = IpAddress::parse("10.1.0.7").value();
  const PortElements next = port_elements(marked, "net/c3/eth0", "net");
  nft_.add(next.own, next.shared);
  nft_.require_effective(elements.own);
  nft_.require_effective(next.own);
}

TEST_F(NftMendTest, ADormantTableIsWokenUp) {
  shell("nft add table inet unicni '{ flags dormant; }'");
  EXPECT_EQ("table inet unicni is dormant", fault());
  add_another();
  EXPECT_EQ("", fault());
  EXPECT_EQ(whole_, shell("nft list ruleset"));
}

TEST_F(NftMendTest, ADormantTableWithoutChainsIsMadeWhole) {
  shell(
      "nft flush table bridge unicni && nft delete chain bridge unicni prerouting && "
      "nft add table bridge unicni '{ flags dormant; }'");
  EXPECT_EQ("table bridge unicni is dormant", fault());
  nft_.add(checked_, {});
  EXPECT_EQ("", fault());
}

TEST_F(NftMendTest, AMissingSetIsMadeAnew) {
  shell("nft flush table inet unicni && nft delete set inet unicni masq6_64");
  EXPECT_EQ("fd00::5 . fd00:: in set masq6_64 of table inet unicni is missing", fault());
  nft_.add(own_, shared_);
  EXPECT_EQ("", fault());
  EXPECT_EQ(
      3U, nft_.list("masq4_16").size() + nft_.list("masq4_24").size() + nft_.list("net_if").size())
      << "elements of the other sets stay";
}

TEST_F(NftMendTest, AMissingTableIsMadeAnewWithoutTheOther) {
  shell("nft flush ruleset");
  EXPECT_EQ("10.1.0.5 . 10.1.0.0 in set masq4_16 of table inet unicni is missing", fault());
  nft_.add(checked_, {});
  EXPECT_THAT(shell("nft list tables"), Not(HasSubstr("inet")));
  nft_.add(own_, shared_);
  EXPECT_EQ("", fault());
}

TEST_F(NftMendTest, AChainHookedElsewhereIsRefusedWithAdvice) {
  shell(
      "nft 'flush chain inet unicni masq4_16; delete chain inet unicni masq4_16; add chain inet "
      "unicni "
      "masq4_16 { type nat hook postrouting priority 50; }'");
  EXPECT_EQ("chain masq4_16 of table inet unicni is not hooked where it belongs", fault());
  try {
    add_another();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.msg(), testing::StartsWith("mend table inet unicni: "));
    EXPECT_THAT(error.details(), HasSubstr("nft list table inet unicni"));
  }
}

TEST_F(NftMendTest, RulesOfTheUsersOwnInOurChainsAreNoFault) {
  shell("nft add rule inet unicni masq4_16 counter");
  EXPECT_EQ("", fault());
}

TEST_F(NftMendTest, ABaseOfAnotherVersionIsJudgedByItsElements) {
  shell(
      "f=$(mktemp) && nft list ruleset > $f && sed -i 's/unicni base ./unicni base 9/' $f && nft "
      "flush ruleset && nft -f $f && rm $f");
  EXPECT_EQ("", fault());
  shell("nft flush table inet unicni");
  EXPECT_EQ("", fault());
  add_another();
  shell("nft flush chain inet unicni masq4_16; nft delete set inet unicni masq4_16");
  EXPECT_NE("", fault());
  EXPECT_THROW(nft_.add(own_, {}), Error);
}

TEST_F(NftMendTest, ProcessesThatMendAtOnceAllSucceed) {
  shell("nft flush table inet unicni");
  EXPECT_TRUE(in_processes(6, [this](int process) {
    Nft nft;
    nft.add({masquerade_element({IpAddress::v4(0x0a010100U + static_cast<unsigned>(process)), 16},
                                "net")},
            shared_);
    nft.require_effective(own_, shared_);
  }));
  EXPECT_EQ(7U, nft_.list("masq4_16").size());
  const std::string listed = shell("nft list chain inet unicni masq4_16");
  EXPECT_EQ(listed.find("224.0.0.0/4"), listed.rfind("224.0.0.0/4"));
}

}  // namespace
}  // namespace unicni::net::mend_test
