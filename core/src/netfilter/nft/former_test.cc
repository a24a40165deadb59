// Attachments and a table of base 1, as releases up to 0.1 made them.
#include "netfilter/nft/former.h"

#include <gmock/gmock.h>

#include "base/ip_for_test.h"
#include "net/private_netns_for_test.h"
#include "netfilter/nft/records_for_test.h"
#include "unicni/error.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::net::former_test {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

std::string bytes(const IpAddress& address) {
  return {reinterpret_cast<const char*>(address.data()), address.size()};
}

NftElement former_masq(const char* address, const char* owner) {
  const IpAddress source = IpAddress::parse(address).value();
  return {source.is_v4() ? "masq4" : "masq6", bytes(source), {}, owner, NftTable::inet, {}};
}

NftElement former_pair(const char* subnet, const char* network) {
  const std::string first = bytes(ip_net(subnet).network());
  const std::string last = bytes(ip_net(subnet).last());
  return {ip_net(subnet).is_v4() ? "net4" : "net6",
          first + first,
          last + last,
          network,
          NftTable::inet,
          {}};
}

NftElement endpoint(const char* set, const char* address, const char* data = "") {
  const std::string tcp80("\x06\0\0\0\0\x50\0\0", 8);
  return {set, bytes(IpAddress::parse(address).value()) + tcp80, {}, "net/c1/eth0", NftTable::inet,
          data};
}

TEST(NftFormerBase, EachAddressGetsTheSubnetOfItsOwnStep) {
  EXPECT_THAT(
      from_former_base({former_masq("10.22.0.5", "net/c1/eth0"),
                        former_masq("fd00::5", "net/c1/eth0"), former_pair("10.22.0.0/16", "net"),
                        former_pair("fd00::/64", "net"), former_pair("10.0.0.0/8", "net")}),
      UnorderedElementsAre(masquerade_element(ip_net("10.22.0.5/16"), "net/c1/eth0"),
                           masquerade_element(ip_net("fd00::5/64"), "net/c1/eth0")));
  EXPECT_THAT(from_former_base({former_masq("10.1.2.3", "o"), former_pair("10.1.2.3/32", "net")}),
              UnorderedElementsAre(masquerade_element(ip_net("10.1.2.3/32"), "o")));
}

TEST(NftFormerBase, PublishedPortsGetTheirHairpin) {
  const NftElement port = endpoint("pub4", "10.22.0.5");
  const NftElement bit = endpoint("bit4", "10.22.0.5", "bit_13");
  const NftElement pair = former_pair("10.22.0.0/16", "net");
  const IpNet container = ip_net("10.22.0.5/16");
  EXPECT_THAT(from_former_base({port, bit, pair}),
              UnorderedElementsAre(port, bit, hairpin_element(port, container),
                                   hairpin_element(bit, container)));
  const NftElement no_snat = endpoint("nosnat4", "10.22.0.5");
  EXPECT_THAT(from_former_base({port, no_snat, pair}), UnorderedElementsAre(port, no_snat));
  const NftElement all = endpoint("masqall4", "10.22.0.5");
  EXPECT_THAT(from_former_base({port, all, bit, pair}),
              UnorderedElementsAre(port, all, bit, hairpin_element(bit, container)));
}

TEST(NftFormerBase, WhatThisBaseWroteStaysAsItIs) {
  const NftElement port = endpoint("pub4", "10.22.0.5");
  const std::vector<NftElement> now{masquerade_element(ip_net("10.22.0.5/16"), "net/c1/eth0"),
                                    masquerade_element(ip_net("10.1.2.3/32"), "net/c1/eth0"), port,
                                    hairpin_element(port, ip_net("10.22.0.5/16"))};
  EXPECT_EQ(from_former_base(now), now);
}

TEST(NftFormerBase, DamagedRecordsAreLeftOut) {
  NftElement cut = former_pair("10.22.0.0/16", "net");
  cut.key.resize(2);
  NftElement open = former_pair("10.22.0.0/16", "net");
  open.key_end.clear();
  EXPECT_THAT(
      from_former_base({cut, open, former_masq("10.22.0.5", "o"),
                        former_pair("10.22.0.0/16", "net"), NftElement{"masq4", "x", {}, "o"}}),
      UnorderedElementsAre(masquerade_element(ip_net("10.22.0.5/16"), "o"),
                           NftElement{"masq4", "x", {}, "o"}));
}

/// What was in force on a host before its executable was exchanged.
constexpr const char* kFormerTable = R"(table inet unicni {
	comment "unicni base 1"
	set net4 {
		type ipv4_addr . ipv4_addr
		flags interval
		elements = { 10.22.0.0/16 . 10.22.0.0/16 comment "net", 10.0.0.0/8 . 10.0.0.0/8 comment "lab" }
	}
	set masq4 {
		type ipv4_addr
		elements = { 10.22.0.5 comment "net/c1/eth0" }
	}
	chain source_nat {
		type nat hook postrouting priority 105; policy accept;
		ip saddr @masq4 goto masq_net4
	}
	chain masq_net4 {
		ip daddr 224.0.0.0/4 return
		ip saddr . ip daddr @net4 return
		masquerade
	}
}
)";

class NftFormerTableTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    if (IsSkipped()) return;
    shell(std::string("nft -f - <<'END'\n") + kFormerTable + "END\n");
    records_.memory = {from_former_base(journal_), {}};
  }
  const std::vector<NftElement> journal_{former_masq("10.22.0.5", "net/c1/eth0"),
                                         former_pair("10.22.0.0/16", "net")};
  const NftElement now_ = masquerade_element(ip_net("10.22.0.5/16"), "net/c1/eth0");
  FakeRecords records_;
  Nft nft_{&records_};
};

TEST_F(NftFormerTableTest, IsGoodForItsOwnAttachments) {
  nft_.require_effective({now_});
  shell("nft delete element inet unicni masq4 { 10.22.0.5 }");
  EXPECT_THROW(nft_.require_effective({now_}), Error);
}

TEST_F(NftFormerTableTest, TheNextAddReplacesItWithAllOfTheJournals) {
  const NftElement another = masquerade_element(ip_net("10.22.0.6/16"), "net/c2/eth0");
  nft_.add({another}, {});
  const std::string listed = shell("nft list table inet unicni");
  EXPECT_THAT(listed, HasSubstr("unicni base 2"));
  EXPECT_THAT(listed, Not(HasSubstr("10.0.0.0/8")));
  EXPECT_THAT(listed, Not(HasSubstr("net4")));
  nft_.require_effective({now_, another});
}

TEST_F(NftFormerTableTest, ARestoreReplacesItToo) {
  EXPECT_TRUE(nft_.restore({now_}));
  nft_.require_effective({now_});
  EXPECT_FALSE(nft_.restore({now_}));
  EXPECT_FALSE(nft_.restore());
}

TEST_F(NftFormerTableTest, ADelFindsItsElementInEither) {
  const std::vector<NftElement> both{journal_.front(), now_};
  EXPECT_EQ(nft_.remove(both), 1U);
  EXPECT_THAT(shell("nft list set inet unicni masq4"), Not(HasSubstr("10.22.0.5")));
  nft_.add({now_}, {});
  nft_.remove(both);
  EXPECT_THAT(shell("nft list ruleset"), Not(HasSubstr("10.22")));
}

}  // namespace
}  // namespace unicni::net::former_test
