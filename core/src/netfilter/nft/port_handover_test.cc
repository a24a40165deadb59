#include "netfilter/nft/port_handover.h"

#include <gmock/gmock.h>
#include <netinet/in.h>

#include "base/ip_for_test.h"
#include "net/private_netns_for_test.h"
#include "netfilter/nft/records_for_test.h"
#include "unicni/netfilter/published_port.h"

namespace unicni::net::port_handover_test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using Elements = std::vector<NftElement>;

/// All elements of an attachment with one port.
Elements elements(const char* owner, const char* container, const char* host_ip = nullptr) {
  PublishedPort port;
  port.protocol = IPPROTO_TCP;
  if (host_ip != nullptr) port.host_ip = ip(host_ip);
  port.host_port = 8080;
  port.container = ip(container);
  port.container_port = 80;
  PortElements made = port_elements(port, owner, std::string(owner).substr(0, 4));
  made.own.insert(made.own.end(), made.shared.begin(), made.shared.end());
  return made.own;
}

Elements about_container(const Elements& all) {
  Elements found;
  for (const NftElement& each : all) {
    if (!is_about_host_port(each)) found.push_back(each);
  }
  return found;
}

class PortHandover : public PrivateNetnsTest {
 protected:
  /// "owner, owner" of what leads from the host's ports.
  std::vector<std::string> owners(const char* set = "port4_any") {
    std::vector<std::string> found;
    for (const NftElement& each : nft_.list(set)) found.push_back(each.owner);
    return found;
  }
  void wait_as(const Elements& all) {
    nft_.add(about_container(all), {});
    records_.others.push_back(all);
  }
  FakeRecords records_;
  Nft nft_{&records_};
  const Elements first_ = elements("net1/c1/eth0", "10.1.0.5");
  const Elements second_ = elements("net2/c1/eth1", "10.2.0.5");
  const Elements third_ = elements("net3/c1/eth2", "10.3.0.5");
  const Elements single_ = elements("net4/c1/eth3", "10.4.0.5", "192.0.2.1");
};

TEST_F(PortHandover, ASiblingThatWaitsTakesOver) {
  nft_.add(first_, {});
  wait_as(second_);
  wait_as(third_);
  nft_.remove(first_);
  EXPECT_THAT(owners(), ElementsAre("net2/c1/eth1"));
  EXPECT_THAT(owners("claim4"), ElementsAre("net2/c1/eth1"));
  EXPECT_THAT(owners("pub4"), UnorderedElementsAre("net2/c1/eth1", "net3/c1/eth2"));
  EXPECT_THAT(records_.asked, ElementsAre("net1/c1/eth0"));
  records_.others.erase(records_.others.begin());
  nft_.remove(second_);
  EXPECT_THAT(owners(), ElementsAre("net3/c1/eth2"));
  records_.others.clear();
  nft_.remove(third_);
  EXPECT_THAT(owners(), IsEmpty());
  EXPECT_THAT(owners("claim4"), IsEmpty());
}

TEST_F(PortHandover, NobodyIsAskedIfNoPortBecomesFree) {
  nft_.add(first_, {});
  nft_.add(about_container(second_), {});
  nft_.remove(second_);
  EXPECT_THAT(records_.asked, IsEmpty());
  EXPECT_THAT(owners(), ElementsAre("net1/c1/eth0"));
}

TEST_F(PortHandover, WhoseOwnDelWasFasterGetsNothing) {
  nft_.add(first_, {});
  records_.others.push_back(second_);
  nft_.remove(first_);
  EXPECT_THAT(owners(), IsEmpty());
}

TEST_F(PortHandover, TheWiderPlaceComesFirst) {
  nft_.add(first_, {});
  wait_as(single_);
  wait_as(second_);
  nft_.remove(first_);
  EXPECT_THAT(owners(), ElementsAre("net2/c1/eth1"));
  EXPECT_THAT(owners("port4_at"), IsEmpty());
  records_.others.pop_back();
  nft_.remove(second_);
  EXPECT_THAT(owners("port4_at"), ElementsAre("net4/c1/eth3"));
  EXPECT_THAT(owners("claim4"), ElementsAre("net4"));
  nft_.remove(single_);  // its own sibling here, but it goes
  EXPECT_THAT(owners("claim4"), IsEmpty());
}

TEST_F(PortHandover, AnyAddressWaitsForOthersSingleOnes) {
  nft_.add(single_, {});
  Elements others = elements("net5/c2/eth0", "10.5.0.5", "192.0.2.2");
  const Elements claim{others.back()};
  others.pop_back();
  nft_.add(others, claim);
  wait_as(second_);
  Elements own = single_;
  own.pop_back();  // the network's claim
  nft_.remove(own);
  EXPECT_THAT(owners(), IsEmpty()) << "another container has a part of it";
  EXPECT_THAT(owners("port4_at"), ElementsAre("net5/c2/eth0"));
}

TEST_F(PortHandover, AnHeirThatLacksItsChainKeepsNobodyFromLeaving) {
  nft_.add(first_, {});
  Elements conditional = second_;
  for (NftElement& each : conditional) {
    if (each.set != "port4_any") continue;
    each.set = "cond4_any";
    each.data = "condition_of_nobody";
  }
  wait_as(conditional);
  nft_.remove(first_);
  EXPECT_THAT(owners(), IsEmpty());
  EXPECT_THAT(owners("pub4"), ElementsAre("net2/c1/eth1"));
}

TEST_F(PortHandover, AFlushedRulesetHasOneOfThoseThatWantAPort) {
  for (const Elements* each : {&single_, &first_, &second_}) {
    Elements& all = records_.memory.elements;
    all.insert(all.end(), each->begin(), each->end());
  }
  EXPECT_TRUE(nft_.restore());
  EXPECT_THAT(owners(), ElementsAre("net1/c1/eth0"));
  EXPECT_THAT(owners("claim4"), ElementsAre("net1/c1/eth0"));
  EXPECT_THAT(owners("port4_at"), IsEmpty());
  EXPECT_THAT(owners("pub4"), UnorderedElementsAre("net1/c1/eth0", "net2/c1/eth1", "net4/c1/eth3"));
}

TEST(PortOwnerText, TellsTheContainer) {
  EXPECT_TRUE(is_of_container("net/c1/eth0", "c1"));
  EXPECT_FALSE(is_of_container("net/c1/eth0", "c"));
  EXPECT_FALSE(is_of_container("net", "net"));
  EXPECT_EQ(find_container("net/c1/eth0"), "c1");
  const std::string id(120, 'c');
  for (const std::string& network : {std::string("net"), std::string(120, 'n')}) {
    EXPECT_TRUE(is_of_container(nft_owner(network + '/' + id + "/eth0"), id));
    EXPECT_FALSE(is_of_container(nft_owner(network + '/' + id + "/eth0"), id + 'd'));
    EXPECT_FALSE(is_of_container(nft_owner(network + "/c1/eth0"), id));
  }
}

TEST(UnsurePorts, WithoutTheirClaimOrThatOthersHoldAreNobodys) {
  const Elements whole = elements("net1/c1/eth0", "10.1.0.2");
  Elements announced = whole;
  drop_unsure_ports(announced, elements("net2/c2/eth0", "10.2.0.2", "192.0.2.1"));
  EXPECT_EQ(announced, about_container(whole)) << "another one has it at one address";
  announced = whole;
  drop_unsure_ports(announced, {});
  EXPECT_EQ(announced, whole);
  announced = {whole.front()};
  drop_unsure_ports(announced, {});
  EXPECT_THAT(announced, IsEmpty()) << "the announcement was cut";
}

}  // namespace
}  // namespace unicni::net::port_handover_test
