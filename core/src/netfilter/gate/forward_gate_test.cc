#include "unicni/netfilter/forward_gate.h"

#include <gmock/gmock.h>

#include "net/private_netns_for_test.h"
#include "unicni/error.h"

namespace unicni::net::forward_gate_test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr const char* kAdmin = "CNI-ADMIN";
/// What iptables makes of the rule's comment.
const std::string kComment =
    R"(-m comment --comment "marked by unicni, see: nft list table inet unicni" )";

class ForwardGateTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    if (IsSkipped()) return;
    shell(
        "iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -s 192.0.2.1 -j ACCEPT; "
        "ip6tables-nft -P FORWARD DROP");
    before_ = rules();
    nft_.add({element_}, {});
  }
  std::string rules() { return shell("iptables-nft -S; ip6tables-nft -S"); }
  void end_the_attachment() {
    nft_.remove({element_});
    remove_idle_forward_gate(nft_, kAdmin);
  }

  const NftElement element_ =
      forward_element("br0", IpAddress::parse("10.1.0.5").value(), "net/c1/eth0");
  std::string before_;
  Nft nft_;
};

TEST_F(ForwardGateTest, IptablesListsItAsItsOwn) {
  ensure_forward_gate(nft_, kAdmin);
  const std::string listed = shell("iptables-nft -S");
  EXPECT_THAT(listed, HasSubstr("-A FORWARD -j CNI-FORWARD\n-A FORWARD -s 192.0.2.1/32 -j ACCEPT"));
  EXPECT_THAT(listed, HasSubstr("-A CNI-FORWARD -j CNI-ADMIN\n"
                                "-A CNI-FORWARD -m mark --mark 0x1000/0x1000 " +
                                kComment + "-j ACCEPT"));
  EXPECT_EQ(shell("ip6tables-nft -S CNI-FORWARD"),
            "-N CNI-FORWARD\n-A CNI-FORWARD -j CNI-ADMIN\n"
            "-A CNI-FORWARD -m mark --mark 0x1000/0x1000 " +
                kComment + "-j ACCEPT\n");
  EXPECT_EQ(find_forward_gate_fault(nft_, kAdmin), std::nullopt);
  const std::string once = rules();
  ensure_forward_gate(nft_, kAdmin);
  EXPECT_EQ(rules(), once);
}

TEST_F(ForwardGateTest, GoesWithTheLastAttachmentAndLeavesTheRest) {
  ensure_forward_gate(nft_, kAdmin);
  remove_idle_forward_gate(nft_, kAdmin);
  EXPECT_THAT(rules(), HasSubstr("CNI-FORWARD")) << "an attachment needs it";
  end_the_attachment();
  EXPECT_EQ(rules(), before_);
}

TEST_F(ForwardGateTest, IsRepairedWhereverItWasFlushed) {
  ensure_forward_gate(nft_, kAdmin);
  const std::string whole = rules();
  for (const char* damage : {"iptables-nft -D FORWARD 1", "iptables-nft -F CNI-FORWARD",
                             "ip6tables-nft -D CNI-FORWARD 2", "iptables-nft -D CNI-FORWARD 1"}) {
    shell(damage);
    EXPECT_THAT(find_forward_gate_fault(nft_, kAdmin).value_or(""), HasSubstr("FORWARD")) << damage;
    ensure_forward_gate(nft_, kAdmin);
    EXPECT_EQ(rules(), whole) << damage;
  }
}

TEST_F(ForwardGateTest, IsMissedOnlyWhereAPacketMayBeDropped) {
  const auto closed_to = [&](const std::set<Family>& families) {
    return find_closed_forward(nft_, kAdmin, families).has_value();
  };
  const auto closed = [&] { return closed_to({Family::v4, Family::v6}); };
  EXPECT_TRUE(closed());
  shell("iptables-nft -P FORWARD ACCEPT");
  EXPECT_TRUE(closed_to({Family::v6}));
  EXPECT_FALSE(closed_to({Family::v4})) << "ip6tables drops nothing of a container without IPv6";
  shell("iptables-nft -P FORWARD DROP");
  shell("ip6tables-nft -P FORWARD ACCEPT");
  for (const char* harmless : {"-P FORWARD ACCEPT", "-A FORWARD -j LOG", "-N CHAIN-A",
                               "-A FORWARD -j CHAIN-A", "-A CHAIN-A -s 192.0.2.0/24 -j ACCEPT"}) {
    shell(std::string("iptables-nft ") + harmless);
    EXPECT_FALSE(closed()) << harmless;
  }
  for (const char* dropping : {"FORWARD -s 192.0.2.1 -j DROP", "CHAIN-A -j REJECT",
                               "CHAIN-A -p udp -j NFQUEUE --queue-num 1"}) {
    shell(std::string("iptables-nft -A ") + dropping);
    EXPECT_TRUE(closed()) << dropping;
    shell(std::string("iptables-nft -D ") + dropping);
    EXPECT_FALSE(closed()) << dropping;
  }
  EXPECT_NE(find_forward_gate_fault(nft_, kAdmin), std::nullopt) << "GC makes it all the same";
}

TEST_F(ForwardGateTest, SurvivesSaveAndRestore) {
  ensure_forward_gate(nft_, kAdmin);
  shell(
      "iptables-nft-save > /tmp/unicni-gate.$$; iptables-nft-restore < /tmp/unicni-gate.$$; "
      "rm -f /tmp/unicni-gate.$$");
  EXPECT_EQ(find_forward_gate_fault(nft_, kAdmin), std::nullopt);
  end_the_attachment();
  EXPECT_EQ(rules(), before_);
}

TEST_F(ForwardGateTest, ComesBehindDockersUserChain) {
  shell("iptables-nft -N DOCKER-USER; iptables-nft -I FORWARD -j DOCKER-USER");
  ensure_forward_gate(nft_, kAdmin);
  EXPECT_THAT(shell("iptables-nft -S FORWARD"),
              HasSubstr("-A FORWARD -j DOCKER-USER\n-A FORWARD -j CNI-FORWARD\n"));
}

TEST_F(ForwardGateTest, AnAdministratorsRulesStay) {
  ensure_forward_gate(nft_, kAdmin);
  shell("iptables-nft -A CNI-ADMIN -s 192.0.2.9 -j DROP");
  end_the_attachment();
  EXPECT_THAT(rules(), HasSubstr("-A CNI-ADMIN -s 192.0.2.9/32 -j DROP"));
  EXPECT_THAT(rules(), Not(HasSubstr("CNI-FORWARD")));
}

TEST_F(ForwardGateTest, TheReferencesRulesKeepItsChain) {
  ensure_forward_gate(nft_, kAdmin);
  shell("iptables-nft -A CNI-FORWARD -s 10.9.0.5/32 -j ACCEPT");
  EXPECT_EQ(find_forward_gate_fault(nft_, kAdmin), std::nullopt);
  shell("iptables-nft -D CNI-FORWARD 2");
  EXPECT_NE(find_forward_gate_fault(nft_, kAdmin), std::nullopt);
  ensure_forward_gate(nft_, kAdmin);
  EXPECT_EQ(find_forward_gate_fault(nft_, kAdmin), std::nullopt);
  end_the_attachment();
  EXPECT_THAT(rules(), HasSubstr("-A FORWARD -j CNI-FORWARD"));
  EXPECT_THAT(rules(), HasSubstr("-A CNI-FORWARD -s 10.9.0.5/32 -j ACCEPT"));
  EXPECT_THAT(rules(), Not(HasSubstr("0x1000")));
}

TEST_F(ForwardGateTest, AnotherMarkReplacesTheOldOnesRule) {
  ensure_forward_gate(nft_, kAdmin);
  const std::string whole = rules();
  const std::string old = "iptables-nft -A CNI-FORWARD -m mark --mark 0x80/0x80 -j ACCEPT";
  shell("iptables-nft -D CNI-FORWARD 2; " + old);
  EXPECT_NE(find_forward_gate_fault(nft_, kAdmin), std::nullopt);
  ensure_forward_gate(nft_, kAdmin);
  EXPECT_EQ(rules(), whole);
  shell(old);
  end_the_attachment();
  EXPECT_EQ(rules(), before_);
}

TEST_F(ForwardGateTest, NftShowsTheCommentToo) {
  ensure_forward_gate(nft_, kAdmin);
  EXPECT_THAT(shell("nft list chain ip filter CNI-FORWARD"),
              HasSubstr("comment \"marked by unicni, see: nft list table inet unicni\""));
  EXPECT_THAT(shell("iptables-nft-save"), HasSubstr(kComment + "-j ACCEPT"));
}

TEST_F(ForwardGateTest, ARuleOfAnEarlierVersionHasNoCommentAndIsOursAllTheSame) {
  const std::string bare = "CNI-FORWARD -m mark --mark 0x1000/0x1000 -j ACCEPT";
  ensure_forward_gate(nft_, kAdmin);
  shell("iptables-nft -D CNI-FORWARD 2; iptables-nft -A " + bare);
  EXPECT_EQ(find_forward_gate_fault(nft_, kAdmin), std::nullopt);
  ensure_forward_gate(nft_, kAdmin);
  EXPECT_THAT(rules(), HasSubstr("-A " + bare));
  end_the_attachment();
  EXPECT_EQ(rules(), before_);
  // Beside one with a comment both go.
  nft_.add({element_}, {});
  ensure_forward_gate(nft_, kAdmin);
  shell("iptables-nft -A " + bare);
  end_the_attachment();
  EXPECT_EQ(rules(), before_);
}

TEST_F(ForwardGateTest, AnAdministratorsRulesCountBeforeAnybodyMadeForward) {
  shell(
      "nft flush ruleset; nft add table ip filter; nft add chain ip filter CNI-ADMIN; "
      "iptables-nft -A CNI-ADMIN -s 192.0.2.9 -j DROP");
  EXPECT_THAT(shell("nft list table ip filter"), Not(HasSubstr("FORWARD")));
  const std::string before = shell("iptables-nft -S CNI-ADMIN");
  nft_.add({element_}, {});
  ensure_forward_gate(nft_, kAdmin);
  EXPECT_EQ(shell("iptables-nft -S FORWARD"), "-P FORWARD ACCEPT\n-A FORWARD -j CNI-FORWARD\n");
  EXPECT_THAT(shell("iptables-nft -S CNI-FORWARD"),
              StartsWith("-N CNI-FORWARD\n-A CNI-FORWARD -j CNI-ADMIN\n"));
  EXPECT_EQ(find_forward_gate_fault(nft_, kAdmin), std::nullopt);
  EXPECT_EQ(find_closed_forward(nft_, kAdmin, {Family::v4, Family::v6}), std::nullopt);
  EXPECT_THAT(shell("nft list tables"), Not(HasSubstr("ip6 filter"))) << "it has no rules of his";
  end_the_attachment();
  EXPECT_EQ(shell("iptables-nft -S CNI-ADMIN"), before);
  EXPECT_EQ(shell("iptables-nft -S FORWARD"), "-P FORWARD ACCEPT\n");
}

TEST_F(ForwardGateTest, AnAdministratorsChainWithoutRulesAsksForNothing) {
  shell("nft flush ruleset; nft add table ip filter; nft add chain ip filter CNI-ADMIN");
  const std::string before = shell("nft list table ip filter");
  nft_.add({element_}, {});
  ensure_forward_gate(nft_, kAdmin);
  EXPECT_EQ(shell("nft list table ip filter"), before);
  EXPECT_EQ(find_forward_gate_fault(nft_, kAdmin), std::nullopt);
}

TEST_F(ForwardGateTest, MakesNoTable) {
  shell("nft flush ruleset");
  nft_.add({element_}, {});
  ensure_forward_gate(nft_, kAdmin);
  EXPECT_THAT(shell("nft list tables"), StartsWith("table inet unicni\n"));
  EXPECT_THAT(shell("nft list tables"), Not(HasSubstr("filter")));
}

}  // namespace
}  // namespace unicni::net::forward_gate_test
