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
	comment "unicni base 1"
	set net4 {
		type ipv4_addr . ipv4_addr
		flags interval
		comment "subnet . subnet: on-link pairs"
	}

	set masq4 {
		type ipv4_addr
		comment "container addresses to masquerade"
	}

	chain source_nat {
		type nat hook postrouting priority srcnat + 5; policy accept;
		ip saddr @masq4 goto masq_net4
	}

	chain masq_net4 {
		ip daddr 224.0.0.0/4 return
		ip saddr . ip daddr @net4 return
		masquerade
	}
}
)";

IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }
IpNet net(const char* text) { return IpNet::parse(text).value(); }
NftElement masq(const char* address, const char* owner) {
  return masquerade_element(ip(address), owner);
}

const NftPartBits kMasqueradeParts =
    nft_parts_of(masquerade_element(IpAddress::parse("10.1.0.5").value(), "net/c1/eth0"));

class NftTest : public PrivateNetnsTest {
 protected:
  static std::vector<NftElement> numbered(int count, const std::string& owner) {
    std::vector<NftElement> elements;
    for (int i = 0; i < count; ++i) {
      elements.push_back(
          masquerade_element(IpAddress::v4(0x0a000000U + static_cast<unsigned>(i)), owner));
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
  nft.add({masq("10.1.0.5", "net/c1/eth0"), masq("fd00::5", "net/c1/eth0")},
          {subnet_element(net("10.1.0.7/16"), "net"), subnet_element(net("fd00::/64"), "net"),
           subnet_element(net("192.168.4.0/22"), "other")});
  const std::string listed = shell("nft list ruleset");
  EXPECT_THAT(listed, HasSubstr("elements = { 10.1.0.5 comment \"net/c1/eth0\" }"));
  EXPECT_THAT(listed, HasSubstr("fd00::5 comment \"net/c1/eth0\""));
  EXPECT_THAT(listed, HasSubstr("10.1.0.0/16 . 10.1.0.0/16 comment \"net\""));
  EXPECT_THAT(listed, HasSubstr("192.168.4.0/22 . 192.168.4.0/22 comment \"other\""));
  EXPECT_THAT(listed, HasSubstr("fd00::/64 . fd00::/64 comment \"net\""));
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
  EXPECT_EQ(2U, nft.remove({masq("10.1.0.5", "net/c1/eth0"), masq("fd00::5", "net/c1/eth0")}));
  EXPECT_EQ(1U, nft.remove({subnet_element(net("192.168.4.0/22"), "other")}));
}

TEST_F(NftTest, AddingTwiceIsSuccess) {
  Nft nft;
  const std::vector<NftElement> own{masq("10.1.0.5", "net/c1/eth0"),
                                    masq("10.1.0.6", "net/c1/eth0")};
  const std::vector<NftElement> shared{subnet_element(net("10.1.0.0/16"), "net")};
  nft.add({own[0]}, shared);
  nft.add(own, shared);
  nft.add({own[0], own[1], own[0]}, {shared[0], shared[0]});
  EXPECT_EQ(2U, nft.list("masq4").size());
  EXPECT_THAT(nft.list("net4"), ElementsAre(shared[0]));
}

TEST_F(NftTest, AForeignOwnerIsNamedAndNothingIsAdded) {
  Nft nft;
  nft.add({masq("10.1.0.5", "net/c1/eth0")}, {});
  try {
    nft.add({masq("10.1.0.4", "net/c2/eth0"), masq("10.1.0.5", "net/c2/eth0")},
            {subnet_element(net("10.1.0.0/16"), "net")});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::internal));
    EXPECT_EQ("10.1.0.5 in set masq4 of table inet unicni belongs to \"net/c1/eth0\"", error.msg());
    EXPECT_THAT(error.details(), HasSubstr("net/c2/eth0"));
    EXPECT_THAT(error.details(), HasSubstr("GC"));
  }
  EXPECT_THAT(nft.list("masq4"), ElementsAre(masq("10.1.0.5", "net/c1/eth0")));
  EXPECT_THAT(nft.list("net4"), IsEmpty());
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
      const NftElement element = masquerade_element(
          IpAddress::v4(0x0a010000U + static_cast<unsigned>(process * 256 + round)), owner);
      Nft nft;  // the first round of all of them makes the base
      nft.add({element}, {subnet_element(IpNet::parse("10.1.0.0/16").value(), "net")});
      if (round % 2 == 1) continue;
      if (nft.remove({element}) != 1) throw Error(Code::internal, "not removed");
    }
  }));
  Nft nft;
  EXPECT_EQ(std::size_t{kProcesses} * kRounds / 2, nft.list("masq4").size());
  EXPECT_EQ(1U, nft.list("net4").size());
  const std::string listed = shell("nft list ruleset");
  EXPECT_EQ(listed.find("chain source_nat"), listed.rfind("chain source_nat"));
}

TEST_F(NftTest, AThousandElementsAtOnce) {
  Nft nft;
  const auto elements = numbered(1000, "net/" + std::string(64, 'c') + "/eth0");
  nft.add(elements, {});
  EXPECT_EQ(1000U, nft.list("masq4").size());
  nft.add(elements, {});  // a thousand times EEXIST
  auto stranger = numbered(1000, "net/stranger/eth0");
  EXPECT_THROW(nft.add(stranger, {}), Error);
  EXPECT_EQ(0U, nft.remove(stranger));
  EXPECT_EQ(1000U, nft.remove(elements));
  EXPECT_THAT(nft.list("masq4"), IsEmpty());
}

TEST_F(NftTest, SharedSubnetsMayContainEachOther) {
  Nft nft;
  nft.add({}, {subnet_element(net("10.1.0.0/16"), "a")});
  nft.add({}, {subnet_element(net("10.1.2.0/24"), "b")});  // covered: nothing to add
  EXPECT_THAT(nft.list("net4"), ElementsAre(subnet_element(net("10.1.0.0/16"), "a")));
  nft.add({},
          {subnet_element(net("10.255.255.0/24"), "c"), subnet_element(net("10.0.0.0/24"), "d")});
  nft.add({}, {subnet_element(net("10.0.0.0/8"), "e")});  // replaces those at its ends
  const auto all = nft.list("net4");
  EXPECT_THAT(all, testing::Contains(subnet_element(net("10.0.0.0/8"), "e")));
  EXPECT_THAT(all, Not(testing::Contains(subnet_element(net("10.0.0.0/24"), "d"))));
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
  const NftElement subnet = subnet_element(net("10.1.2.3/16"), "net");
  EXPECT_EQ("net4", subnet.set);
  EXPECT_EQ(std::string("\x0a\x01\x00\x00\x0a\x01\x00\x00", 8), subnet.key);
  EXPECT_EQ(std::string("\x0a\x01\xff\xff\x0a\x01\xff\xff", 8), subnet.key_end);
  EXPECT_EQ("10.1.0.0-10.1.255.255 . 10.1.0.0-10.1.255.255", describe_key(subnet));
  EXPECT_EQ("fd00::5", describe_key(masq("fd00::5", "o")));
}

}  // namespace
}  // namespace unicni::net
