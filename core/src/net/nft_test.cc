#include "unicni/net/nft.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include "net/netlink_socket.h"
#include "net/nft_base.h"
#include "net/nft_batch.h"
#include "net/nft_element.h"
#include "net/private_netns_for_test.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kBase = R"(table inet unicni {
	comment "unicni base 2"
	set masq4 {
		type ipv4_addr
		comment "container addresses without a subnet"
	}

	set masq6 {
		type ipv6_addr
		comment "container addresses without a subnet"
	}

	chain source_nat {
		type nat hook postrouting priority srcnat + 5; policy accept;
		ip daddr 224.0.0.0/4 return
		ip6 daddr ff00::/8 return
		ip saddr @masq4 masquerade
		ip6 saddr @masq6 masquerade
		jump masq_subnets
	}

	chain masq_subnets {
	}
}
)";

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
IpNet net(const char* text) { return IpNet::parse(text).value(); }
/// Of a subnet, "10.1.0.5/16", or of none.
NftElement masq(const char* address, const char* owner) {
  const auto net = IpNet::parse(address);
  const IpAddress alone = net ? net->address() : ip(address);
  return masquerade_element(net.value_or(IpNet(alone, alone.bits())), owner).value();
}

const NftPartBits kMasqueradeParts = nft_parts_of(masq("10.1.0.5", "net/c1/eth0"));

class NftTest : public PrivateNetnsTest {
 protected:
  static std::vector<NftElement> numbered(int count, const std::string& owner) {
    std::vector<NftElement> elements;
    for (int i = 0; i < count; ++i) {
      const IpNet address(IpAddress::v4(0x0a000000U + static_cast<unsigned>(i)), 16);
      elements.push_back(masquerade_element(address, owner).value());
    }
    return elements;
  }
};

TEST_F(NftTest, BaseIsWhatNftWouldHaveMade) {
  NetlinkSocket socket(NETLINK_NETFILTER);
  EXPECT_TRUE(create_nft_base(socket, NftTable::inet, kMasqueradeParts));
  EXPECT_EQ(kBase, shell("nft list ruleset"));
  EXPECT_FALSE(create_nft_base(socket, NftTable::inet, kMasqueradeParts));
  EXPECT_EQ(kBase, shell("nft list ruleset"));
}

TEST_F(NftTest, ListingReloadsToTheSame) {
  Nft nft;
  const std::vector<NftElement> own{
      masq("10.1.0.5", "net/c1/eth0"),
      masq("10.1.0.6/16", "net/c1/eth0"),
      masq("fd00::5/64", "net/c1/eth0"),
      masq("192.168.4.9/22", "other/c2/eth0"),
      hairpin_element(net("10.1.0.6/16"), "net/c1/eth0"),
      hairpin_element(net("fd00::5/63"), "net/c1/eth0"),
      hairpin_element(net("10.9.9.9/32"), "net/c1/eth0"),
      hairpin_mark_element(net("10.1.0.6/15"), "net/c1/eth0").value()};
  nft.add(own, {});
  const std::string listed = shell("nft list ruleset");
  for (const char* part :
       {"elements = { 10.1.0.5 comment \"net/c1/eth0\" }", "set masq_10.1.0.0/16 {",
        "ip saddr @masq_10.1.0.0/16 ip daddr != 10.1.0.0/16 masquerade", "set masq_fd00--/64 {",
        "ip6 saddr @masq_fd00--/64 ip6 daddr != fd00::/64 masquerade",
        "ip saddr @masq_192.168.4.0/22 ip daddr != 192.168.4.0/22 masquerade",
        "elements = { 192.168.4.9 comment \"other/c2/eth0\" }",
        "ip daddr @hairpin_10.1.0.0/16 ip saddr 10.1.0.0/16 masquerade",
        "ip6 daddr @hairpin_fd00--/63 ip6 saddr fd00::/63 masquerade",
        "elements = { 10.9.9.9 . 10.9.9.9 comment \"net/c1/eth0\" }",
        "ip daddr @mark_10.0.0.0/15 ip saddr 10.0.0.0/15 ip daddr . meta l4proto . th dport vmap "
        "@bit4"}) {
    EXPECT_THAT(listed, HasSubstr(part));
  }
  // How the expressions look to the kernel must not differ either from what nft makes of its
  // listing.
  const std::string raw = shell("nft --debug=netlink list ruleset | grep '^ *\\['");
  const std::string reloaded = shell(
      "f=$(mktemp) && nft list ruleset > $f && nft flush ruleset && nft -f $f && rm $f && nft list "
      "ruleset");
  EXPECT_EQ(listed, reloaded);
  EXPECT_EQ(raw, shell("nft --debug=netlink list ruleset | grep '^ *\\['"));
  // And we understand what nft made.
  EXPECT_EQ("net/c1/eth0", nft.find("masq4", masq("10.1.0.5", "").key).value().owner);
  nft.require_effective(own);
  nft.remove(own);
  const std::string left = shell("nft list ruleset");
  for (const char* gone : {"masq_1", "masq_f", "hairpin_1", "hairpin_f", "mark_1", "10.1.0"}) {
    EXPECT_THAT(left, Not(HasSubstr(gone)));
  }
}

TEST_F(NftTest, AddingTwiceIsSuccess) {
  Nft nft;
  const std::vector<NftElement> own{masq("10.1.0.5", "net/c1/eth0"),
                                    masq("10.1.0.6", "net/c1/eth0")};
  const std::vector<NftElement> shared{forward_interface_element("br0", "net")};
  nft.add({own[0]}, shared);
  nft.add(own, shared);
  nft.add({own[0], own[1], own[0]}, {shared[0], shared[0]});
  EXPECT_EQ(2U, nft.list("masq4").size());
  EXPECT_THAT(nft.list("net_if"), ElementsAre(shared[0]));
}

TEST_F(NftTest, AForeignOwnerIsNamedAndNothingIsAdded) {
  Nft nft;
  nft.add({masq("10.1.0.5", "net/c1/eth0")}, {});
  try {
    nft.add({masq("10.1.0.4", "net/c2/eth0"), masq("10.1.0.5", "net/c2/eth0")},
            {forward_interface_element("br0", "net")});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::internal));
    EXPECT_EQ("10.1.0.5 in set masq4 of table inet unicni belongs to \"net/c1/eth0\"", error.msg());
    EXPECT_THAT(error.details(), HasSubstr("net/c2/eth0"));
    EXPECT_THAT(error.details(), HasSubstr("GC"));
  }
  EXPECT_THAT(nft.list("masq4"), ElementsAre(masq("10.1.0.5", "net/c1/eth0")));
  EXPECT_THAT(nft.list("net_if"), IsEmpty());
}

TEST_F(NftTest, ALateDeleteLeavesTheNextOwnersElement) {
  Nft nft;
  const NftElement first = masq("10.1.0.5", "net/c1/eth0");
  const NftElement second = masq("10.1.0.5", "net/c2/eth0");
  nft.add({first}, {});
  EXPECT_EQ(1U, nft.remove({first}));
  nft.add({second}, {});
  EXPECT_EQ(0U, nft.remove({first}));
  EXPECT_EQ("net/c2/eth0", nft.find("masq4", second.key).value().owner);
  EXPECT_EQ(1U, nft.remove({first, second, masq("10.1.0.6", "net/c2/eth0")}));
  EXPECT_EQ(std::nullopt, nft.find("masq4", second.key));
}

TEST_F(NftTest, WithoutATableThereIsNothing) {
  Nft nft;
  EXPECT_EQ(0U, nft.remove({masq("10.1.0.5", "net/c1/eth0")}));
  EXPECT_EQ(0U, nft.remove({}));
  EXPECT_EQ(std::nullopt, nft.find("masq4", masq("10.1.0.5", "").key));
  EXPECT_THAT(nft.list("masq4"), IsEmpty());
  nft.add({}, {});
  EXPECT_EQ("", shell("nft list ruleset"));
}

TEST_F(NftTest, AStaleGenerationIsRefusedAndRemoveTriesAgain) {
  Nft nft;
  nft.add({masq("10.1.0.5", "net/c1/eth0")}, {});
  NetlinkSocket socket(NETLINK_NETFILTER);
  NftBatch stale(1);  // the base alone was later
  put_old_element(stale.add(NFT_MSG_DELSETELEM, 0), masq("10.1.0.5", ""));
  const auto failures = stale.commit(socket);
  ASSERT_EQ(1U, failures.size());
  EXPECT_EQ(ERESTART, failures[0].error);
  EXPECT_EQ(std::nullopt, failures[0].index);
  // The socket is in step afterwards.
  EXPECT_TRUE(read_element(socket, NftTable::inet, "masq4", masq("10.1.0.5", "").key));
  EXPECT_EQ(1U, nft.remove({masq("10.1.0.5", "net/c1/eth0")}));
}

TEST_F(NftTest, ProcessesThatRaceAllSucceed) {
  constexpr int kProcesses = 8;
  constexpr int kRounds = 40;
  EXPECT_TRUE(in_processes(kProcesses, [](int process) {
    for (int round = 0; round < kRounds; ++round) {
      const std::string owner = fmt::format("net/c{}-{}/eth0", process, round);
      const auto last = static_cast<unsigned>(process * 256 + round);
      const NftElement element =
          masquerade_element(IpNet(IpAddress::v4(0x0a010000U + last), 16), owner).value();
      Nft nft;  // the first round of all of them makes the base
      nft.add({element}, {});
      if (round % 2 == 1) continue;
      if (nft.remove({element}) != 1) throw Error(Code::internal, "not removed");
    }
  }));
  Nft nft;
  EXPECT_EQ(std::size_t{kProcesses} * kRounds / 2, nft.list("masq_10.1.0.0/16").size());
  const std::string listed = shell("nft list ruleset");
  EXPECT_EQ(listed.find("chain source_nat"), listed.rfind("chain source_nat"));
  EXPECT_EQ(listed.find("@masq_10.1.0.0/16"), listed.rfind("@masq_10.1.0.0/16"));
}

TEST_F(NftTest, ASubnetsSetComesAndGoesUnderRacingProcesses) {
  constexpr int kProcesses = 6;
  constexpr int kRounds = 40;
  EXPECT_TRUE(in_processes(kProcesses, [](int process) {
    for (int round = 0; round < kRounds; ++round) {
      // Few enough at a time that the set often has its last element removed by somebody.
      const std::string owner = fmt::format("net/c{}/eth0", process);
      const IpNet address(IpAddress::v4(0x0a010000U + static_cast<unsigned>(process)), 16);
      const std::vector<NftElement> own{masquerade_element(address, owner).value(),
                                        forward_element("br0", address.address(), owner)};
      const std::vector<NftElement> shared{forward_interface_element("br0", "net")};
      Nft nft;
      nft.add(own, shared);
      nft.require_effective(own, shared);
      nft.remove(own);
    }
  }));
  const std::string left = shell("nft list table inet unicni");
  EXPECT_THAT(left, Not(HasSubstr("masq_10")));
  EXPECT_THAT(left, Not(HasSubstr("br0")));
}

TEST_F(NftTest, AThousandElementsAtOnce) {
  Nft nft;
  const auto elements = numbered(1000, "net/" + std::string(64, 'c') + "/eth0");
  nft.add(elements, {});
  EXPECT_EQ(1000U, nft.list("masq_10.0.0.0/16").size());
  nft.add(elements, {});  // a thousand times EEXIST
  auto stranger = numbered(1000, "net/stranger/eth0");
  EXPECT_THROW(nft.add(stranger, {}), Error);
  EXPECT_EQ(0U, nft.remove(stranger));
  EXPECT_EQ(1000U + 2U, nft.remove(elements)) << "and the set with its rule";
  EXPECT_THAT(nft.list("masq_10.0.0.0/16"), IsEmpty());
}

TEST_F(NftTest, TheRuleOfASetOfEveryPrefixLengthIsKnownAgain) {
  std::vector<NftElement> own;
  for (int prefix = 1; prefix < 128; ++prefix) {
    own.push_back(masquerade_element(IpNet(ip("fd06:4::5"), prefix), "o").value());
    own.push_back(hairpin_element(IpNet(ip("fd06:4::5"), prefix), "o"));
    if (prefix >= 32) continue;
    own.push_back(masquerade_element(IpNet(ip("10.66.4.5"), prefix), "o").value());
    own.push_back(hairpin_element(IpNet(ip("10.66.4.5"), prefix), "o"));
  }
  Nft nft;
  nft.add(own, {});
  nft.require_effective(own);
  const std::string listed = shell("nft list ruleset | sort");
  nft.add(own, {});
  EXPECT_EQ(listed, shell("nft list ruleset | sort"));
  nft.remove(own);
  EXPECT_THAT(shell("nft list ruleset"), Not(HasSubstr("_10.")));
}

TEST_F(NftTest, NestedSubnetsHaveSetsOfTheirOwn) {
  Nft nft;
  const NftElement outer = masq("10.200.0.2/8", "a/c1/eth0");
  const NftElement inner = masq("10.22.0.2/16", "b/c2/eth0");
  nft.add({outer}, {});
  nft.add({inner}, {});
  nft.require_effective({outer, inner});
  nft.remove({outer});
  nft.require_effective({inner});
  const std::string left = shell("nft list table inet unicni");
  EXPECT_THAT(left, Not(HasSubstr("10.0.0.0/8")));
  EXPECT_THAT(left, HasSubstr("ip saddr @masq_10.22.0.0/16 ip daddr != 10.22.0.0/16 masquerade"));
}

TEST_F(NftTest, WhatStandsForAnInterfaceGoesWithItsLastAttachment) {
  Nft nft;
  const auto attach = [&](const char* bridge, const char* address, const char* owner) {
    std::vector<NftElement> own =
        ingress_elements(IngressPolicy::isolated, bridge, ip(address), owner);
    own.push_back(forward_element(bridge, ip(address), owner));
    nft.add(own,
            {forward_interface_element(bridge, "net"), policy_interface_element(bridge, "net")});
    return own;
  };
  const auto first = attach("br0", "10.1.0.5", "net/c1/eth0");
  const auto second = attach("br0", "fd00::6", "other/c2/eth0");
  const auto third = attach("br1", "10.1.0.7", "net/c3/eth0");
  EXPECT_EQ(nft.list("net_if").size(), 2U);
  nft.remove(first);
  EXPECT_EQ(nft.list("net_if").size(), 2U) << "another network's, of the other family, is left";
  EXPECT_EQ(nft.list("policy_if").size(), 2U);
  nft.remove(second);
  EXPECT_THAT(nft.list("net_if"), ElementsAre(forward_interface_element("br1", "net")));
  EXPECT_THAT(nft.list("policy_if"), ElementsAre(policy_interface_element("br1", "net")));
  nft.remove(third);
  EXPECT_THAT(nft.list("net_if"), IsEmpty());
  EXPECT_THAT(nft.list("policy_if"), IsEmpty());
}

TEST_F(NftTest, SharedElementsMayHaveAnyOwner) {
  Nft nft;
  nft.add({}, {masq("10.1.0.5", "a"), masq("fd00::5", "a")});
  nft.add({}, {masq("10.1.0.5", "b"), masq("fd00::5", "b")});
  EXPECT_THAT(nft.list("masq4"), ElementsAre(masq("10.1.0.5", "a")));
  EXPECT_THAT(nft.list("masq6"), ElementsAre(masq("fd00::5", "a")));
}

TEST_F(NftTest, ATableThatIsNotOursIsNamed) {
  shell("nft add table inet unicni");
  Nft nft;
  try {
    nft.add({masq("10.1.0.5", "net/c1/eth0")}, {});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ("table inet unicni is there but not its sets", error.msg());
    EXPECT_THAT(error.details(), HasSubstr("nft list table inet unicni"));
  }
}

TEST_F(NftTest, OwnersThatFillTheComment) {
  const std::string owner =
      std::string(47, 'n') + '/' + std::string(64, 'c') + '/' + std::string(15, 'i');
  ASSERT_EQ(128U, owner.size());
  Nft nft;
  nft.add({masq("10.1.0.5", owner.c_str())}, {});
  EXPECT_THAT(shell("nft list ruleset"), HasSubstr('"' + owner + '"'));
  EXPECT_EQ(owner, nft.find("masq4", masq("10.1.0.5", "").key).value().owner);
  EXPECT_EQ(1U, nft.remove({masq("10.1.0.5", owner.c_str())}));
}

TEST(NftOwnerTest, ShortOnesStayAsTheyAre) {
  EXPECT_EQ("net/c1/eth0", nft_owner("net/c1/eth0"));
  EXPECT_EQ("", nft_owner(""));
}

TEST(NftOwnerTest, LongOnesKeepTheirEndAndStayApart) {
  const std::string tail = '/' + std::string(64, 'c') + "/eth0";
  const std::string a = nft_owner(std::string(100, 'a') + tail);
  const std::string b = nft_owner(std::string(101, 'a') + tail);
  EXPECT_EQ(128U, a.size());
  EXPECT_TRUE(a.ends_with(tail));
  EXPECT_NE(a, b);
  EXPECT_EQ(a, nft_owner(std::string(100, 'a') + tail));
  EXPECT_EQ(a, nft_owner(a));
}

TEST(NftOwnerTest, QuotesAndControlCharactersGo) {
  EXPECT_THAT(nft_owner("a\"b"), testing::EndsWith("~a_b"));
  EXPECT_NE(nft_owner("a\"b"), nft_owner("a\nb"));
}

TEST(NftElementTest, KeysAreNetworkOrder) {
  EXPECT_EQ(std::string("\x0a\x01\x00\x05", 4), masq("10.1.0.5", "o").key);
  EXPECT_EQ("masq6", masq("fd00::5", "o").set);
  EXPECT_EQ(16U, masq("fd00::5", "o").key.size());
  EXPECT_EQ("masq_10.1.0.0/16", masq("10.1.2.3/16", "o").set);
  EXPECT_EQ(std::string("\x0a\x01\x02\x03", 4), masq("10.1.2.3/16", "o").key);
  EXPECT_EQ("10.1.2.3", describe_key(masq("10.1.2.3/16", "o")));
  EXPECT_EQ("fd00::46", describe_key(masq("fd00::46/64", "o")));
  EXPECT_EQ("masq_fd00-46--/64", masq("fd00:46::5/64", "o").set);
  EXPECT_EQ(Family::v4, family_of(masq("10.6.6.6/16", "o"))) << "digits of a subnet say nothing";
  EXPECT_EQ(Family::v6, family_of(masq("fd04:4::4/64", "o")));
  EXPECT_EQ(std::nullopt, masquerade_element(net("10.1.2.3/0"), "o"));
  EXPECT_EQ("fd00::5", describe_key(masq("fd00::5", "o")));
}

}  // namespace
}  // namespace unicni::net
