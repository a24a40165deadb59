#include "unicni/netfilter/nft.h"

#include <fmt/core.h>
#include <gmock/gmock.h>

#include "base/ip_for_test.h"
#include "net/netlink_socket.h"
#include "net/private_netns_for_test.h"
#include "netfilter/nft/base.h"
#include "netfilter/nft/batch.h"
#include "netfilter/nft/describe.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/prefix_part.h"
#include "unicni/error.h"

namespace unicni::net::nft_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kBase = R"(table inet unicni {
	comment "unicni base 2"
	set masq4_16 {
		type ipv4_addr . ipv4_addr
		comment "container to masquerade . its subnet"
	}

	chain masq4_16 {
		type nat hook postrouting priority srcnat + 5; policy accept;
		ip saddr . ip saddr & 255.255.0.0 != @masq4_16 return
		ip daddr 224.0.0.0/4 return
		ip saddr . ip daddr & 255.255.0.0 @masq4_16 return
		meta nfproto ipv4 masquerade
	}
}
)";

NftElement masq(const char* address, const char* owner) {
  return masquerade_element(ip_net(address), owner);
}

const NftParts kMasqueradeParts = nft_parts_of(masq("10.1.0.5/16", "net/c1/eth0"));

class NftTest : public PrivateNetnsTest {
 protected:
  static std::vector<NftElement> numbered(int count, const std::string& owner) {
    std::vector<NftElement> elements;
    for (int i = 0; i < count; ++i) {
      elements.push_back(
          masquerade_element({IpAddress::v4(0x0a000000U + static_cast<unsigned>(i)), 16}, owner));
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
  const std::vector<NftElement> all{
      masq("10.1.0.5/16", "net/c1/eth0"), masq("10.1.0.6/32", "net/c1/eth0"),
      masq("192.168.4.7/22", "other/c1/eth1"), masq("fd00::5/64", "net/c1/eth0"),
      masq("fd01::5/61", "other/c1/eth1")};
  nft.add(all, {});
  const std::string listed = shell("nft list ruleset");
  EXPECT_THAT(listed, HasSubstr("elements = { 10.1.0.5 . 10.1.0.0 comment \"net/c1/eth0\" }"));
  EXPECT_THAT(listed, HasSubstr("10.1.0.6 . 10.1.0.6 comment"));
  EXPECT_THAT(listed, HasSubstr("192.168.4.7 . 192.168.4.0 comment \"other/c1/eth1\""));
  EXPECT_THAT(listed, HasSubstr("fd00::5 . fd00:: comment \"net/c1/eth0\""));
  // How the expressions look to the kernel must not differ either from what nft makes of its
  // listing.
  const std::string raw = shell("nft --debug=netlink list ruleset | grep '^ *\\['");
  const std::string reloaded = shell(
      "f=$(mktemp) && nft list ruleset > $f && nft flush ruleset && nft -f $f && rm $f && nft list "
      "ruleset");
  EXPECT_EQ(listed, reloaded);
  EXPECT_EQ(raw, shell("nft --debug=netlink list ruleset | grep '^ *\\['"));
  // And we understand what nft made.
  EXPECT_EQ("net/c1/eth0", nft.find("masq4_16", all[0].key).value().owner);
  EXPECT_EQ(all.size(), nft.remove(all));
}

TEST_F(NftTest, AddingTwiceIsSuccess) {
  Nft nft;
  const std::vector<NftElement> own{masq("10.1.0.5/16", "net/c1/eth0"),
                                    masq("10.1.0.6/16", "net/c1/eth0")};
  const std::vector<NftElement> shared{forward_interface_element("br0", "net")};
  nft.add({own[0]}, shared);
  nft.add(own, shared);
  nft.add({own[0], own[1], own[0]}, {shared[0], shared[0]});
  EXPECT_EQ(2U, nft.list("masq4_16").size());
  EXPECT_THAT(nft.list("net_if"), ElementsAre(shared[0]));
}

TEST_F(NftTest, AForeignOwnerIsNamedAndNothingIsAdded) {
  Nft nft;
  nft.add({masq("10.1.0.5/16", "net/c1/eth0")}, {});
  try {
    nft.add({masq("10.1.0.4/16", "net/c2/eth0"), masq("10.1.0.5/16", "net/c2/eth0")},
            {forward_interface_element("br0", "net")});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::internal));
    EXPECT_EQ("10.1.0.5 . 10.1.0.0 in set masq4_16 of table inet unicni belongs to \"net/c1/eth0\"",
              error.msg());
    EXPECT_THAT(error.details(), HasSubstr("net/c2/eth0"));
    EXPECT_THAT(error.details(), HasSubstr("GC"));
  }
  EXPECT_THAT(nft.list("masq4_16"), ElementsAre(masq("10.1.0.5/16", "net/c1/eth0")));
  EXPECT_THAT(nft.list("net_if"), IsEmpty());
}

TEST_F(NftTest, ALateDeleteLeavesTheNextOwnersElement) {
  Nft nft;
  const NftElement first = masq("10.1.0.5/16", "net/c1/eth0");
  const NftElement second = masq("10.1.0.5/16", "net/c2/eth0");
  nft.add({first}, {});
  EXPECT_EQ(1U, nft.remove({first}));
  nft.add({second}, {});
  EXPECT_EQ(0U, nft.remove({first}));
  EXPECT_EQ("net/c2/eth0", nft.find("masq4_16", second.key).value().owner);
  EXPECT_EQ(1U, nft.remove({first, second, masq("10.1.0.6/16", "net/c2/eth0")}));
  EXPECT_EQ(std::nullopt, nft.find("masq4_16", second.key));
}

TEST_F(NftTest, WithoutATableThereIsNothing) {
  Nft nft;
  EXPECT_EQ(0U, nft.remove({masq("10.1.0.5/16", "net/c1/eth0")}));
  EXPECT_EQ(0U, nft.remove({}));
  EXPECT_EQ(std::nullopt, nft.find("masq4_16", masq("10.1.0.5/16", "").key));
  EXPECT_THAT(nft.list("masq4_16"), IsEmpty());
  nft.add({}, {});
  EXPECT_EQ("", shell("nft list ruleset"));
}

TEST_F(NftTest, AStaleGenerationIsRefusedAndRemoveTriesAgain) {
  Nft nft;
  nft.add({masq("10.1.0.5/16", "net/c1/eth0")}, {});
  NetlinkSocket socket(NETLINK_NETFILTER);
  NftBatch stale(1);  // the base alone was later
  put_old_element(stale.add(NFT_MSG_DELSETELEM, 0), masq("10.1.0.5/16", ""));
  const auto failures = stale.commit(socket);
  ASSERT_EQ(1U, failures.size());
  EXPECT_EQ(ERESTART, failures[0].error);
  EXPECT_EQ(std::nullopt, failures[0].index);
  // The socket is in step afterwards.
  EXPECT_TRUE(read_element(socket, NftTable::inet, "masq4_16", masq("10.1.0.5/16", "").key));
  EXPECT_EQ(1U, nft.remove({masq("10.1.0.5/16", "net/c1/eth0")}));
}

TEST_F(NftTest, ProcessesThatRaceAllSucceed) {
  constexpr int kProcesses = 8;
  constexpr int kRounds = 40;
  EXPECT_TRUE(in_processes(kProcesses, [](int process) {
    for (int round = 0; round < kRounds; ++round) {
      const std::string owner = fmt::format("net/c{}-{}/eth0", process, round);
      const IpAddress address =
          IpAddress::v4(0x0a010000U + static_cast<unsigned>(process * 256 + round));
      const std::vector<NftElement> own{masquerade_element({address, 16 + round % 3}, owner),
                                        forward_element("br0", address, owner)};
      const NftElement bridge = forward_interface_element("br0", "net");
      Nft nft;  // the first round of all of them makes the base
      nft.add(own, {bridge});
      nft.require_effective(own, {bridge});
      if (round % 2 == 1 && round < kRounds - 1) continue;
      // With the bridge's own element if nobody has an address behind it any more.
      if (nft.remove(own) < own.size()) throw Error(Code::internal, "not removed");
    }
  }));
  Nft nft;
  std::size_t left = 0;
  for (const char* set : {"masq4_16", "masq4_17", "masq4_18"}) left += nft.list(set).size();
  EXPECT_EQ(std::size_t{kProcesses} * (kRounds / 2 - 1), left);
  EXPECT_EQ(left, nft.list("att4").size());
  EXPECT_EQ(1U, nft.list("net_if").size());
  const std::string listed = shell("nft list ruleset");
  EXPECT_EQ(listed.find("chain masq4_16"), listed.rfind("chain masq4_16"));
}

/// Where each removal takes the interface along and each addition brings it back.
TEST_F(NftTest, ProcessesThatShareAnInterfaceNeverLoseIt) {
  EXPECT_TRUE(in_processes(4, [](int process) {
    const std::string owner = fmt::format("net/c{}/eth0", process);
    const std::vector<NftElement> own{
        forward_element("br0", IpAddress::v4(0x0a010000U + static_cast<unsigned>(process)), owner)};
    const NftElement bridge = forward_interface_element("br0", owner);
    for (int round = 0; round < 60; ++round) {
      Nft nft;
      nft.add(own, {bridge});
      nft.require_effective(own, {bridge});
      if (nft.remove(own) < own.size()) throw Error(Code::internal, "not removed");
    }
  }));
  Nft nft;
  EXPECT_THAT(nft.list("att4"), IsEmpty());
  EXPECT_THAT(nft.list("net_if"), IsEmpty());
}

TEST_F(NftTest, AnInterfaceGoesWithTheLastThatIsBehindIt) {
  Nft nft;
  const auto behind = [](const char* bridge, const char* address, const char* owner) {
    return forward_element(bridge, IpAddress::parse(address).value(), owner);
  };
  const NftElement first = behind("br0", "10.1.0.5", "a/c1/eth0");
  const NftElement second = behind("br0", "fd00::6", "b/c2/eth0");
  const NftElement other = behind("br1", "10.1.0.7", "a/c3/eth0");
  nft.add({first, other},
          {forward_interface_element("br0", "a"), forward_interface_element("br1", "a")});
  nft.add({second}, {forward_interface_element("br0", "b")});
  auto policy = ingress_elements(IngressPolicy::isolated, "br0",
                                 IpAddress::parse("10.1.0.5").value(), "a/c1/eth0");
  nft.add(policy, {policy_interface_element("br0", "a")});

  EXPECT_EQ(3U, nft.remove(policy)) << "its interface too";
  EXPECT_THAT(nft.list("policy_if"), IsEmpty());
  EXPECT_EQ(1U, nft.remove({first})) << "of another family, and network, one is left";
  EXPECT_EQ(2U, nft.list("net_if").size());
  EXPECT_EQ(2U, nft.remove({second})) << "whoever had brought it";
  EXPECT_THAT(nft.list("net_if"), ElementsAre(forward_interface_element("br1", "a")));
  EXPECT_EQ(2U, nft.remove({other, other}));
  EXPECT_THAT(nft.list("net_if"), IsEmpty());
}

TEST_F(NftTest, AThousandElementsAtOnce) {
  Nft nft;
  const auto elements = numbered(1000, "net/" + std::string(64, 'c') + "/eth0");
  nft.add(elements, {});
  EXPECT_EQ(1000U, nft.list("masq4_16").size());
  nft.add(elements, {});  // a thousand times EEXIST
  auto foreign = numbered(1000, "net/foreign/eth0");
  EXPECT_THROW(nft.add(foreign, {}), Error);
  EXPECT_EQ(0U, nft.remove(foreign));
  EXPECT_EQ(1000U, nft.remove(elements));
  EXPECT_THAT(nft.list("masq4_16"), IsEmpty());
}

TEST_F(NftTest, SharedElementsMayHaveAnyOwner) {
  Nft nft;
  nft.add({}, {masq("10.1.0.5/16", "a"), masq("fd00::5/64", "a")});
  nft.add({}, {masq("10.1.0.5/16", "b"), masq("fd00::5/64", "b")});
  EXPECT_THAT(nft.list("masq4_16"), ElementsAre(masq("10.1.0.5/16", "a")));
  EXPECT_THAT(nft.list("masq6_64"), ElementsAre(masq("fd00::5/64", "a")));
}

TEST_F(NftTest, ATableThatIsNotOursIsNamed) {
  shell("nft add table inet unicni");
  Nft nft;
  try {
    nft.add({masq("10.1.0.5/16", "net/c1/eth0")}, {});
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
  nft.add({masq("10.1.0.5/16", owner.c_str())}, {});
  EXPECT_THAT(shell("nft list ruleset"), HasSubstr('"' + owner + '"'));
  EXPECT_EQ(owner, nft.find("masq4_16", masq("10.1.0.5/16", "").key).value().owner);
  EXPECT_EQ(1U, nft.remove({masq("10.1.0.5/16", owner.c_str())}));
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
  const NftElement element = masq("10.1.2.5/22", "o");
  EXPECT_EQ("masq4_22", element.set);
  EXPECT_EQ(std::string("\x0a\x01\x02\x05\x0a\x01\x00\x00", 8), element.key);
  EXPECT_EQ("10.1.2.5 . 10.1.0.0", describe_key(element));
  EXPECT_EQ("masq6_64", masq("fd00::5/64", "o").set);
  EXPECT_EQ(32U, masq("fd00::5/64", "o").key.size());
  EXPECT_EQ("fd00::5 . fd00::", describe_key(masq("fd00::5/64", "o")));
}

TEST(NftPrefixPartTest, NamesAreReadAsTheyAreWritten) {
  for (const Family family : {Family::v4, Family::v6}) {
    for (int prefix = 0; prefix <= (family == Family::v4 ? 32 : 128); ++prefix) {
      for (const auto use : {NftPrefixPart::Use::masquerade, NftPrefixPart::Use::hairpin,
                             NftPrefixPart::Use::hairpin_bit}) {
        const NftPrefixPart part{use, family, prefix};
        EXPECT_EQ(find_nft_prefix_part(nft_prefix_set(part)), part);
      }
    }
  }
  for (const char* other : {"masq4", "masq4_", "masq4_33", "masq6_129", "masq5_1", "masq4_016",
                            "masq4_-1", "masq4_1x", "bit4", "bit_13", "masqall4", "hairpin", ""}) {
    EXPECT_EQ(find_nft_prefix_part(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace unicni::net::nft_test
