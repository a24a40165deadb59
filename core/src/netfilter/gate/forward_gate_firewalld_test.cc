// The gate beside a table as firewalld makes it; tests/integration/firewalld_test.cc has the real
// one, with packets.
#include <gmock/gmock.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include "net/attribute.h"
#include "net/netlink_socket.h"
#include "net/private_netns_for_test.h"
#include "netfilter/nft/batch.h"
#include "unicni/netfilter/forward_gate.h"

namespace unicni::net::forward_gate_firewalld_test {
namespace {

using testing::HasSubstr;

constexpr const char* kAdmin = "CNI-ADMIN";

class FirewalldGate : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    if (!IsSkipped()) nft_.add({element_}, {});
  }
  static void make_table() {
    shell(
        "nft add table inet firewalld; nft add chain inet firewalld filter_FORWARD "
        "'{ type filter hook forward priority filter + 10; }'; "
        "nft add rule inet firewalld filter_FORWARD ct state established,related accept; "
        "nft add rule inet firewalld filter_FORWARD reject with icmpx admin-prohibited");
  }
  static std::string chain() {
    return shell("nft -s list chain inet firewalld filter_FORWARD | sed -n 's/^\t\t//p'");
  }

  const NftElement element_ =
      forward_element("br0", IpAddress::parse("10.1.0.5").value(), "net/c1/eth0");
  Nft nft_;
};

TEST_F(FirewalldGate, IsTheFirstRuleOnceAndGoesWithTheLastAttachment) {
  make_table();
  const std::string before = shell("nft list table inet firewalld");
  EXPECT_THAT(find_forward_gate_fault(nft_, kAdmin).value_or(""), HasSubstr("filter_FORWARD"));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(ensure_forward_gate(nft_, kAdmin), std::nullopt);
  EXPECT_EQ(chain(),
            "type filter hook forward priority filter + 10; policy accept;\n"
            "meta mark & 0x00001000 == 0x00001000 counter accept comment "
            "\"marked by unicni, see: nft list table inet unicni\"\n"
            "ct state established,related accept\n"
            "reject with icmpx admin-prohibited\n");
  EXPECT_EQ(find_forward_gate_fault(nft_, kAdmin), std::nullopt);
  remove_idle_forward_gate(nft_, kAdmin);
  EXPECT_THAT(chain(), HasSubstr("0x00001000")) << "an attachment needs it";
  nft_.remove({element_});
  remove_idle_forward_gate(nft_, kAdmin);
  EXPECT_EQ(shell("nft list table inet firewalld"), before);
}

TEST_F(FirewalldGate, IsPutBackAfterAReload) {
  make_table();
  ensure_forward_gate(nft_, kAdmin);
  const std::string whole = chain();
  shell("nft delete table inet firewalld");
  EXPECT_EQ(find_forward_gate_fault(nft_, kAdmin), std::nullopt);
  make_table();
  repair_forward_gate(nft_, kAdmin);
  EXPECT_EQ(chain(), whole);
  nft_.remove({element_});
  shell("nft delete table inet firewalld");
  make_table();
  repair_forward_gate(nft_, kAdmin);
  EXPECT_THAT(chain(), testing::Not(HasSubstr("0x00001000"))) << "nobody needs it";
}

TEST_F(FirewalldGate, ReplacesTheRuleOfAnEarlierMark) {
  make_table();
  const std::string before = shell("nft list table inet firewalld");
  shell("nft insert rule inet firewalld filter_FORWARD meta mark and 0x800 == 0x800 accept");
  ensure_forward_gate(nft_, kAdmin);
  EXPECT_THAT(chain(),
              testing::AllOf(HasSubstr("0x00001000"), testing::Not(HasSubstr("0x00000800"))));
  shell("nft insert rule inet firewalld filter_FORWARD meta mark and 0x800 == 0x800 accept");
  nft_.remove({element_});
  remove_idle_forward_gate(nft_, kAdmin);
  EXPECT_EQ(shell("nft list table inet firewalld"), before);
}

/// As firewalld 2.1 has it with NftablesTableOwner: the kernel refuses everybody else.
TEST_F(FirewalldGate, ATableWithAnOwnerIsWarnedOfAndLeft) {
  constexpr std::uint32_t kOwnerFlag = 2;  // NFT_TABLE_F_OWNER
  NetlinkSocket owner(NETLINK_NETFILTER);
  NftBatch batch;
  nl_msg* table = batch.add(NFT_MSG_NEWTABLE, NLM_F_CREATE, NFPROTO_INET);
  put_text(table, NFTA_TABLE_NAME, "firewalld");
  put_u32(table, NFTA_TABLE_FLAGS, htobe32(kOwnerFlag));
  nl_msg* made = batch.add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, NFPROTO_INET);
  put_text(made, NFTA_CHAIN_TABLE, "firewalld");
  put_text(made, NFTA_CHAIN_NAME, "filter_FORWARD");
  ASSERT_TRUE(batch.commit(owner).empty());

  EXPECT_THAT(ensure_forward_gate(nft_, kAdmin).value_or(""),
              HasSubstr("\"backend\": \"firewalld\""));
  EXPECT_EQ(find_forward_gate_fault(nft_, kAdmin), std::nullopt) << "CHECK can't ask for it";
  nft_.remove({element_});
  remove_idle_forward_gate(nft_, kAdmin);
}

}  // namespace
}  // namespace unicni::net::forward_gate_firewalld_test
