// Removals that find less than they were told of: doubles, what another removed, what never was.
#include <gmock/gmock.h>
#include <netinet/in.h>

#include <algorithm>
#include <random>

#include "base/ip_for_test.h"
#include "net/netlink_socket.h"
#include "net/private_netns_for_test.h"
#include "netfilter/gate/foreign_chain.h"
#include "netfilter/nft/base.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/transaction.h"
#include "unicni/error.h"
#include "unicni/netfilter/forward_gate.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::net::removal_test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kOwner = "net/c1/eth0";

NftElement masq(const char* address, const char* owner = kOwner) {
  return masquerade_element(IpNet(ip(address), 16), owner);
}

PublishedPort port(std::uint16_t host_port, std::uint16_t container_port,
                   const char* host_ip = nullptr) {
  PublishedPort made;
  made.protocol = IPPROTO_TCP;
  if (host_ip != nullptr) made.host_ip = ip(host_ip);
  made.host_port = host_port;
  made.container = ip("10.1.0.5");
  made.container_port = container_port;
  return made;
}

class NftRemovalTest : public PrivateNetnsTest {
 protected:
  static void put(std::vector<NftElement>& to, const std::vector<NftElement>& more) {
    to.insert(to.end(), more.begin(), more.end());
  }
  std::vector<NftElement> left() {
    std::vector<NftElement> elements;
    for (const NftSet& set : nft_.sets()) put(elements, nft_.list(set.name, set.table));
    return elements;
  }
  Nft nft_;
};

TEST_F(NftRemovalTest, AnElementThatIsNamedTwiceGoesOnce) {
  nft_.add({masq("10.1.0.5"), masq("10.1.0.6")}, {});
  EXPECT_EQ(nft_.remove({masq("10.1.0.5"), masq("10.1.0.6"), masq("10.1.0.5")}), 2U);
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(NftRemovalTest, APortListMayMeetItselfInAnyWay) {
  struct Kind {
    const char* title;
    std::vector<PublishedPort> ports;
  };
  for (const Kind& kind :
       {Kind{"two host ports to one container port", {port(8080, 80), port(8081, 80)}},
        Kind{"two host addresses", {port(8080, 80, "192.0.2.1"), port(8080, 80, "127.0.0.1")}},
        Kind{"any address written twice", {port(8080, 80), port(8080, 80)}}}) {
    std::vector<NftElement> own;
    std::vector<NftElement> shared;
    for (const PublishedPort& each : kind.ports) {
      const PortElements elements = port_elements(each, kOwner, "net");
      put(own, elements.own);
      put(shared, elements.shared);
    }
    nft_.add(own, shared);
    nft_.require_effective(own, shared);
    nft_.remove(own);
    EXPECT_THAT(left(), IsEmpty()) << kind.title;
  }
}

TEST_F(NftRemovalTest, RandomListsWithRandomRepetitionsGoWhole) {
  std::mt19937 random(7);
  const auto any = [&](std::size_t below) { return random() % below; };
  constexpr const char* kHostIps[] = {nullptr, "192.0.2.1", "192.0.2.2", "127.0.0.1"};
  for (int round = 0; round < 60; ++round) {
    std::vector<NftElement> own{masq("10.1.0.5")};
    std::vector<NftElement> shared;
    const bool any_address = any(2) == 0;  // both for one port are a conflict
    for (std::size_t count = 1 + any(6); count > 0; --count) {
      const char* host_ip = any_address ? nullptr : kHostIps[1 + any(3)];
      const auto host_port = static_cast<std::uint16_t>(8080 + any(3));
      // One host port leads to one port of the container.
      const auto container_port = static_cast<std::uint16_t>(host_port == 8082 ? 81 : 80);
      const PortElements elements =
          port_elements(port(host_port, container_port, host_ip), kOwner, "net");
      put(own, elements.own);
      put(shared, elements.shared);
    }
    nft_.add(own, shared);
    // Journals of earlier versions have what was announced, doubles and all, in any order.
    for (std::size_t more = any(4); more > 0; --more) own.push_back(own[any(own.size())]);
    std::shuffle(own.begin(), own.end(), random);
    nft_.remove(own);
    ASSERT_THAT(left(), IsEmpty()) << "round " << round;
    EXPECT_EQ(nft_.remove(own), 0U);
  }
}

TEST_F(NftRemovalTest, ADoubledElementOfAConditionKeepsNoChainAndTakesNone) {
  const NftCondition condition = port_condition(Family::v4, "ip saddr 192.0.2.0/24", kOwner);
  PublishedPort first = port(8080, 80);
  PublishedPort second = port(8081, 80);
  first.condition = second.condition = condition.chain;
  const auto one = port_elements(first, kOwner, "net").own;
  const auto two = port_elements(second, kOwner, "net").own;
  nft_.add_condition(condition);
  nft_.add(one, {});
  nft_.add(two, {});
  // The other port still leads to the chain.
  std::vector<NftElement> doubled = one;
  put(doubled, one);
  std::erase_if(doubled, [](const NftElement& element) { return element.set == "pub4"; });
  nft_.remove(doubled);
  EXPECT_THAT(shell("nft list table inet unicni"), HasSubstr(condition.chain));
  put(doubled, two);
  nft_.remove(doubled);
  EXPECT_THAT(shell("nft list table inet unicni"), Not(HasSubstr(condition.chain)));
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(NftRemovalTest, WhatNoSetCanHoldIsNotThere) {
  nft_.add({masq("10.1.0.5")}, {});
  std::vector<NftElement> elements{masq("10.1.0.5")};
  for (const std::size_t size : {0U, 1U, 3U, 5U, 16U, 64U, 65U, 255U}) {
    NftElement damaged = masq("10.1.0.5");
    damaged.key = std::string(size, 'k');
    elements.push_back(damaged);
    damaged.set = "port4_any";
    elements.push_back(damaged);
    damaged.set = std::string(size + 1, 's');
    elements.push_back(damaged);
  }
  EXPECT_EQ(nft_.remove(elements), 1U);
  EXPECT_THAT(left(), IsEmpty());
}

TEST_F(NftRemovalTest, ATransactionGoesOnWithoutWhatIsMissing) {
  shell(
      "nft 'add table inet t; add set inet t s { type ipv4_addr; }; add chain inet t a; add chain "
      "inet t b; add chain inet t used; add rule inet t a accept; add chain inet t user; add rule "
      "inet t user jump used'");
  NetlinkSocket socket(NETLINK_NETFILTER);
  const auto chain = [](const char* name) { return NftChainName{NFPROTO_INET, "t", name}; };
  const std::size_t done = commit_as_read(socket, "remove", [&](NftBatch& batch) {
    delete_rule(batch, chain("a"), 4711);
    flush_chain(batch, chain("a"));
    delete_chain(batch, chain("a"));
    delete_chain(batch, chain("a"));
    delete_chain(batch, chain("never"));
    delete_chain(batch, chain("b"));
    delete_table(batch, NFPROTO_INET, "nowhere");
  });
  EXPECT_EQ(done, 3U);
  const std::string listed = shell("nft list table inet t");
  EXPECT_THAT(listed, Not(HasSubstr("chain a")));
  EXPECT_THAT(listed, Not(HasSubstr("chain b")));
  // Nothing is left to do, and the socket is in step.
  EXPECT_EQ(
      commit_as_read(socket, "remove", [&](NftBatch& batch) { delete_chain(batch, chain("a")); }),
      0U);
}

TEST_F(NftRemovalTest, AChainThatAnotherUsesIsToldOfWhenTheRestIsGone) {
  shell(
      "nft 'add table inet t; add chain inet t used; add chain inet t b; add chain inet t user; "
      "add rule inet t user jump used'");
  NetlinkSocket socket(NETLINK_NETFILTER);
  const auto chain = [](const char* name) { return NftChainName{NFPROTO_INET, "t", name}; };
  try {
    commit_as_read(socket, "remove", [&](NftBatch& batch) {
      delete_chain(batch, chain("never"));
      delete_chain(batch, chain("used"));
      delete_chain(batch, chain("b"));
    });
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.msg(), HasSubstr("EBUSY"));
  }
  EXPECT_EQ(find_chains(socket, {chain("used")})[0]->use, 1U);
  EXPECT_FALSE(find_chains(socket, {chain("b")})[0]);
}

TEST_F(NftRemovalTest, AnAdditionToWhatIsMissingIsAnError) {
  shell("nft add table inet t");
  NetlinkSocket socket(NETLINK_NETFILTER);
  EXPECT_THROW(commit_as_read(socket, "add",
                              [&](NftBatch& batch) {
                                delete_chain(batch, {NFPROTO_INET, "t", "never"});
                                NftRule rule("never", "t");
                                rule.accept();
                                rule.put(batch.add(NFT_MSG_NEWRULE, NLM_F_CREATE));
                              }),
               Error);
}

TEST_F(NftRemovalTest, AChainThatAnotherUsesKeepsNobodyElsesRules) {
  shell("iptables-nft -P FORWARD DROP; ip6tables-nft -P FORWARD DROP; iptables-nft -N USER");
  const std::string before = shell("iptables-nft -S; ip6tables-nft -S");
  const NftElement element = forward_element("br0", ip("10.1.0.5"), kOwner);
  nft_.add({element}, {});
  ensure_forward_gate(nft_, kDefaultAdminChain);
  shell("iptables-nft -A USER -j CNI-FORWARD");
  nft_.remove({element});
  remove_idle_forward_gate(nft_, kDefaultAdminChain);
  EXPECT_EQ(shell("iptables-nft -S CNI-FORWARD"), "-N CNI-FORWARD\n-A CNI-FORWARD -j CNI-ADMIN\n");
  EXPECT_THAT(shell("ip6tables-nft -S"), Not(HasSubstr("CNI-")));
  shell("iptables-nft -F USER");
  remove_idle_forward_gate(nft_, kDefaultAdminChain);
  EXPECT_EQ(shell("iptables-nft -S; ip6tables-nft -S"), before);
}

TEST_F(NftRemovalTest, AnAdministratorsOnlyRuleOutlivesALostJump) {
  shell("iptables-nft -P FORWARD DROP");
  const NftElement element = forward_element("br0", ip("10.1.0.5"), kOwner);
  nft_.add({element}, {});
  ensure_forward_gate(nft_, kDefaultAdminChain);
  shell("iptables-nft -A CNI-ADMIN -s 192.0.2.9 -j DROP; iptables-nft -D CNI-FORWARD -j CNI-ADMIN");
  nft_.remove({element});
  remove_idle_forward_gate(nft_, kDefaultAdminChain);
  EXPECT_THAT(shell("iptables-nft -S"), HasSubstr("-A CNI-ADMIN -s 192.0.2.9/32 -j DROP"));
}

}  // namespace
}  // namespace unicni::net::removal_test
