#include "unicni/net/link.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <net/ethernet.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/bridge.h"
#include "unicni/net/sysctl.h"
#include "unicni/net/veth.h"
#include "unicni/sys/fd.h"

namespace unicni::net::link_test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

const Mac kHostMac = Mac::parse("0a:58:00:00:00:01").value();
const Mac kPeerMac = Mac::parse("0a:58:00:00:00:02").value();
const Mac kBridgeMac = Mac::parse("0a:58:00:00:00:09").value();

class LinkTest : public PrivateNetnsTest {
 protected:
  /// A bridge br0 and its index.
  static int bridge(Netlink& netlink, std::uint32_t mtu = 0) {
    Batch batch(netlink);
    add_bridge(batch, {"br0", kBridgeMac, mtu});
    batch.commit();
    return get_link(netlink, "br0").index;
  }
  static VethSpec veth(const Netns* peer_netns) {
    VethSpec spec;
    spec.name = "host0";
    spec.mac = kHostMac;
    spec.peer_name = "eth0";
    spec.peer_mac = kPeerMac;
    spec.peer_netns = peer_netns;
    return spec;
  }
};

TEST_F(LinkTest, VethIsMadeWithEverythingInOneGo) {
  const NewNetns other;
  const Netns inside = other.open();
  Netlink netlink;
  Netlink there(inside);
  const int br0 = bridge(netlink);
  VethSpec spec = veth(&inside);
  spec.alias = "net1/" + std::string(64, 'c') + "/eth0";
  spec.master = br0;
  spec.mtu = 1400;
  Batch batch(netlink);
  add_veth(batch, spec);
  batch.commit();

  const Link host = get_link(netlink, "host0");
  EXPECT_EQ(get_link_index(netlink, "host0"), host.index);
  EXPECT_EQ(get_link_index(there, "eth0"), get_link(there, "eth0").index);
  EXPECT_EQ("veth", host.kind);
  EXPECT_EQ(spec.alias, host.alias);
  EXPECT_EQ(kHostMac, host.mac);
  EXPECT_EQ(1400U, host.mtu);
  EXPECT_EQ(br0, host.master);
  EXPECT_TRUE(host.up);
  EXPECT_FALSE(host.lower_up);
  EXPECT_FALSE(host.hairpin);

  const Link peer = get_link(there, "eth0");
  EXPECT_EQ("veth", peer.kind);
  EXPECT_EQ(kPeerMac, peer.mac);
  EXPECT_EQ(1400U, peer.mtu);
  EXPECT_FALSE(peer.up);
  EXPECT_EQ(0, peer.master);
  EXPECT_EQ(host.iflink, peer.index);
  EXPECT_EQ(peer.iflink, host.index);
  EXPECT_FALSE(find_link(netlink, "eth0"));

  LinkChange up;
  up.up = true;
  Batch inside_batch(there);
  change_link(inside_batch, {peer.index, "eth0"}, up);
  inside_batch.commit();
  EXPECT_TRUE(get_link(there, "eth0").lower_up);
  EXPECT_TRUE(get_link(netlink, "host0").lower_up);
  const std::string text = shell("ip -d link show host0");
  EXPECT_THAT(text, HasSubstr("master br0"));
  EXPECT_THAT(text, HasSubstr("alias " + spec.alias));
}

TEST_F(LinkTest, VethWithoutExtrasKeepsTheKernelsDefaults) {
  Netlink netlink;
  Batch batch(netlink);
  add_veth(batch, veth(nullptr));
  batch.commit();
  EXPECT_EQ(1500U, get_link(netlink, "host0").mtu);
  EXPECT_EQ("", get_link(netlink, "host0").alias);
  EXPECT_EQ(1500U, get_link(netlink, "eth0").mtu);
}

TEST_F(LinkTest, TakenNamesAreNamed) {
  const NewNetns other;
  const Netns inside = other.open();
  Netlink netlink;
  Batch batch(netlink);
  add_veth(batch, veth(&inside));
  batch.commit();
  VethSpec second = veth(&inside);
  second.name = "host1";
  add_veth(batch, second);
  try {
    batch.commit();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::internal));
    EXPECT_EQ("create veth host1 with peer eth0 in " + inside.path() + ": File exists (EEXIST)",
              error.msg());
  }
  EXPECT_FALSE(find_link(netlink, "host1"));
}

TEST_F(LinkTest, TooLongAliasIsRefused) {
  Netlink netlink;
  Batch batch(netlink);
  VethSpec spec = veth(nullptr);
  spec.alias = std::string(256, 'a');
  EXPECT_THROW(add_veth(batch, spec), Error);
  spec.alias.pop_back();
  add_veth(batch, spec);
  batch.commit();
  EXPECT_EQ(spec.alias, get_link(netlink, "host0").alias);
}

TEST_F(LinkTest, BridgeIsUpAndKeepsItsMac) {
  Netlink netlink;
  const int br0 = bridge(netlink, 1450);
  VethSpec spec = veth(nullptr);
  spec.mac = Mac::parse("02:00:00:00:00:01").value();  // lower than the bridge's: it would follow
  spec.master = br0;
  spec.mtu = 1450;
  Batch batch(netlink);
  add_veth(batch, spec);
  batch.commit();
  const Link link = get_link(netlink, "br0");
  EXPECT_EQ("bridge", link.kind);
  EXPECT_EQ(kBridgeMac, link.mac);
  EXPECT_EQ(1450U, link.mtu);
  EXPECT_TRUE(link.up);
}

TEST_F(LinkTest, AbsenceIsNullopt) {
  Netlink netlink;
  EXPECT_FALSE(find_link(netlink, "nothere"));
  EXPECT_FALSE(find_link(netlink, ""));
  EXPECT_FALSE(find_link(netlink, std::string(16, 'x')));
  EXPECT_FALSE(find_link(netlink, 4711));
  EXPECT_FALSE(find_link(netlink, 0));
  EXPECT_EQ("lo", find_link(netlink, 1).value().name);
  try {
    (void)get_link(netlink, "nothere");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.msg(), HasSubstr("nothere"));
  }
}

TEST_F(LinkTest, PortsAreThoseOfThatBridge) {
  Netlink netlink;
  const int br0 = bridge(netlink);
  Batch batch(netlink);
  add_bridge(batch, {"br1", Mac::random(), 0});
  for (int i = 0; i < 3; ++i) {
    VethSpec spec = veth(nullptr);
    spec.name = "port" + std::to_string(i);
    spec.peer_name = "peer" + std::to_string(i);
    spec.mac = Mac::random();
    spec.peer_mac = Mac::random();
    spec.master = br0;
    add_veth(batch, spec);
  }
  batch.commit();
  std::vector<std::string> names;
  for (const Link& port : list_ports(netlink, br0)) names.push_back(port.name);
  EXPECT_THAT(names, testing::UnorderedElementsAre("port0", "port1", "port2"));
  EXPECT_TRUE(list_ports(netlink, get_link(netlink, "br1").index).empty());
  EXPECT_TRUE(list_ports(netlink, 4711).empty());
}

TEST_F(LinkTest, RemovingAVethTakesBothEnds) {
  const NewNetns other;
  const Netns inside = other.open();
  Netlink netlink;
  Netlink there(inside);
  Batch batch(netlink);
  add_veth(batch, veth(&inside));
  batch.commit();
  const int index = get_link(there, "eth0").index;
  EXPECT_TRUE(remove_link(there, index));
  EXPECT_FALSE(find_link(netlink, "host0"));
  EXPECT_FALSE(remove_link(there, index));
}

/// The pipes of the runtime and the locks of the verb are not the child's, which still waits.
TEST_F(LinkTest, TheChildThatWaitsBehindARemovalHoldsNothingOfOurs) {
  Netlink netlink;
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const sys::Fd read_end(pipe[0]);
  sys::Fd write_end(pipe[1]);
  for (int round = 0; round < 20; ++round) {
    shell("ip link add v1 type veth peer name v2; ip link add i1 type ifb");
    EXPECT_TRUE(remove_link(netlink, get_link(netlink, "v1").index));
    EXPECT_FALSE(find_link(netlink, "v2"));
    EXPECT_TRUE(remove_link(netlink, get_link(netlink, "i1").index));
    EXPECT_FALSE(find_link(netlink, "i1"));
  }
  write_end.reset();
  char byte = 0;
  pollfd readable{read_end.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&readable, 1, 0), 1) << "somebody holds the other end";
  EXPECT_EQ(::read(read_end.get(), &byte, 1), 0);
}

TEST_F(LinkTest, WhatTheSocketHeardOfARemovalConfusesNoLaterQuestion) {
  shell("ip link add br0 type bridge; ip link add v1 type veth peer name v2");
  shell("ip link set v1 master br0; ip link set v1 up; ip link set v2 up; ip link set br0 up");
  Netlink netlink;
  const int index = get_link(netlink, "v1").index;
  EXPECT_TRUE(remove_link(netlink, index));
  EXPECT_EQ(get_link(netlink, "br0").name, "br0");
  EXPECT_FALSE(remove_link(netlink, index));
  Batch batch(netlink);
  add_veth(batch, veth(nullptr));
  batch.commit();
  EXPECT_TRUE(find_link(netlink, "host0"));
}

TEST_F(LinkTest, RemovingWhatCannotGoSaysWhy) {
  Netlink netlink;
  EXPECT_THROW(remove_link(netlink, 1), Error);  // lo
}

TEST_F(LinkTest, ChangesOnlyWhatIsSet) {
  Netlink netlink;
  Batch batch(netlink);
  add_veth(batch, veth(nullptr));
  batch.commit();
  const Link before = get_link(netlink, "host0");
  LinkChange change;
  change.mac = Mac::parse("0a:58:00:00:00:77").value();
  change.mtu = 1300;
  change.promisc = true;
  change_link(batch, {before.index, "host0"}, change);
  batch.commit();
  Link after = get_link(netlink, "host0");
  EXPECT_EQ(*change.mac, after.mac);
  EXPECT_EQ(1300U, after.mtu);
  EXPECT_TRUE(after.promisc);
  EXPECT_EQ(1U, after.promiscuity);
  EXPECT_TRUE(after.up);
  LinkChange back;
  back.promisc = false;
  back.up = false;
  change_link(batch, {before.index, "host0"}, back);
  batch.commit();
  after = get_link(netlink, "host0");
  EXPECT_FALSE(after.promisc);
  EXPECT_FALSE(after.up);
  EXPECT_EQ(1300U, after.mtu);
  change_link(batch, {before.index, "host0"}, LinkChange{});
  EXPECT_TRUE(batch.empty());
}

TEST_F(LinkTest, PromiscuityOfABridgePortIsNotTheAdministrators) {
  Netlink netlink;
  VethSpec spec = veth(nullptr);
  spec.master = bridge(netlink);
  Batch batch(netlink);
  add_veth(batch, spec);
  batch.commit();
  const Link port = get_link(netlink, "host0");
  EXPECT_FALSE(port.promisc);
  EXPECT_EQ(1U, port.promiscuity);
}

TEST_F(LinkTest, GratuitousArpLeavesWhenTheLinkGoesUp) {
  const NewNetns other;
  const Netns inside = other.open();
  Netlink netlink;
  Netlink there(inside);
  Batch batch(netlink);
  add_veth(batch, veth(&inside));
  batch.commit();
  const sys::Fd wire(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ARP)));
  ASSERT_TRUE(wire);
  const timeval patience{2, 0};
  ::setsockopt(wire.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);

  const int eth0 = get_link(there, "eth0").index;
  Batch configure(there);
  add_addr(configure, {eth0, "eth0"}, IpNet::parse("10.1.0.5/24").value(), Dad::skip, false);
  LinkChange notify;
  notify.arp_notify = true;
  change_link(configure, {eth0, "eth0"}, notify);
  LinkChange change;
  change.up = true;
  change_link(configure, {eth0, "eth0"}, change);
  configure.commit();

  EXPECT_EQ("1", find_sysctl("net/ipv4/conf/eth0/arp_notify", {.in = &inside}));
  std::array<unsigned char, 128> frame{};
  const ssize_t size = ::recv(wire.get(), frame.data(), frame.size(), 0);
  ASSERT_GE(size, 42) << "no ARP within 2 s";
  EXPECT_EQ(0, std::memcmp(frame.data() + 6, kPeerMac.bytes().data(), 6));
  const std::array<unsigned char, 4> address{10, 1, 0, 5};
  EXPECT_EQ(0, std::memcmp(frame.data() + 28, address.data(), 4));
  EXPECT_EQ(0, std::memcmp(frame.data() + 38, address.data(), 4));
}

TEST_F(LinkTest, PortSettingsComeWithTheVeth) {
  Netlink netlink;
  const int br0 = bridge(netlink);
  for (const bool on : {true, false}) {
    VethSpec spec = veth(nullptr);
    spec.master = br0;
    spec.alias = "a";
    (on ? spec.hairpin : spec.isolated) = true;
    Batch batch(netlink);
    add_veth(batch, spec);
    batch.commit();
    const Link port = get_link(netlink, "host0");
    EXPECT_EQ(port.hairpin, on);
    EXPECT_EQ(port.isolated, !on);
    EXPECT_EQ(port.alias, "a");
    EXPECT_THAT(shell("ip -d link show host0"), HasSubstr(on ? "hairpin on" : "hairpin off"));
    remove_link(netlink, port.index);
  }
}

TEST_F(LinkTest, PortSettingsNeedABridge) {
  Netlink netlink;
  VethSpec spec = veth(nullptr);
  spec.hairpin = true;
  Batch batch(netlink);
  add_veth(batch, spec);
  EXPECT_THROW(batch.commit(), Error);
}

TEST_F(LinkTest, AliasOfABridgeAndItsChange) {
  Netlink netlink;
  Batch batch(netlink);
  BridgeSpec spec{"br0", kBridgeMac, 0, "mine", false};
  add_bridge(batch, spec);
  batch.commit();
  const Link made = get_link(netlink, "br0");
  EXPECT_EQ(made.alias, "mine");
  LinkChange change;
  change.alias = "yours";
  change_link(batch, {made.index, "br0"}, change);
  batch.commit();
  EXPECT_EQ(get_link(netlink, "br0").alias, "yours");
}

TEST_F(LinkTest, CarrierOfAPortCountsAtOnce) {
  const NewNetns other;
  const Netns inside = other.open();
  Netlink netlink;
  Netlink there(inside);
  for (int round = 0; round < 20; ++round) {
    VethSpec spec = veth(&inside);
    spec.master = round == 0 ? bridge(netlink) : get_link(netlink, "br0").index;
    Batch batch(netlink);
    add_veth(batch, spec);
    batch.commit();
    Batch up(there);
    LinkChange change;
    change.up = true;
    change_link(up, {get_link(there, "eth0").index, "eth0"}, change);
    up.commit();
    sync_carrier(netlink, "host0");
    ASSERT_THAT(shell("ip -d link show host0"), HasSubstr("state forwarding"));
    remove_link(netlink, get_link(netlink, "host0").index);
  }
  EXPECT_NO_THROW(sync_carrier(netlink, "host0")) << "gone is fine";
}

TEST(VethNameTest, IsRandomHex) {
  const std::string name = random_veth_name();
  EXPECT_THAT(name, MatchesRegex("veth[0-9a-f]{8}"));
  EXPECT_NE(name, random_veth_name());
}

}  // namespace
}  // namespace unicni::net::link_test
