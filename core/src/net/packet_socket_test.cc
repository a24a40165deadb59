#include "unicni/net/packet_socket.h"

#include <linux/if_ether.h>
#include <poll.h>

#include <array>

#include "base/ip_for_test.h"
#include "net/private_netns_for_test.h"
#include "unicni/error.h"
#include "unicni/net/netlink.h"

namespace unicni::net::packet_socket_test {
namespace {

const Mac kEverybody(std::array<std::uint8_t, 6>{0xff, 0xff, 0xff, 0xff, 0xff, 0xff});
constexpr std::uint16_t kProtocol = ETH_P_802_EX1;

/// Two ends of a veth.
class PacketSocketTest : public PrivateNetnsTest {
 protected:
  void SetUp() override {
    PrivateNetnsTest::SetUp();
    shell("ip link add name a type veth peer name b; ip link set dev a up; ip link set dev b up");
    Netlink netlink;
    a_ = get_link(netlink, "a");
    b_ = get_link(netlink, "b");
  }
  static void wait_for(int fd) {
    pollfd ready{fd, POLLIN, 0};
    ASSERT_EQ(::poll(&ready, 1, 2000), 1);
  }
  Link a_;
  Link b_;
};

TEST_F(PacketSocketTest, FramesComeWithTheirSenderAndWithoutTheirHeader) {
  PacketSocket sends(a_, kProtocol, {});
  PacketSocket hears(b_, kProtocol, {});
  const std::vector<std::uint8_t> bytes{1, 2, 3};
  sends.send(kEverybody, bytes);
  wait_for(hears.fd());
  const auto frame = hears.receive();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->bytes, bytes);
  EXPECT_EQ(frame->from, a_.mac);
  EXPECT_FALSE(hears.receive());
}

TEST_F(PacketSocketTest, WhatItSendsItselfIsNotHeard) {
  PacketSocket one(a_, kProtocol, {});
  PacketSocket other(a_, kProtocol, {});
  PacketSocket hears(b_, kProtocol, {});
  one.send(kEverybody, std::vector<std::uint8_t>{1});
  wait_for(hears.fd());
  EXPECT_FALSE(other.receive());
}

TEST_F(PacketSocketTest, AFilterDecidesFromTheFirstFrameOn) {
  // Frames whose first byte is 7.
  const std::array<sock_filter, 4> filter{
      {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 7, 0, 1),
       BPF_STMT(BPF_RET | BPF_K, 0xffff), BPF_STMT(BPF_RET | BPF_K, 0)}};
  PacketSocket sends(a_, kProtocol, {});
  PacketSocket hears(b_, kProtocol, filter);
  sends.send(kEverybody, std::vector<std::uint8_t>{6});
  sends.send(kEverybody, std::vector<std::uint8_t>{7});
  wait_for(hears.fd());
  EXPECT_EQ(hears.receive()->bytes, (std::vector<std::uint8_t>{7}));
  EXPECT_FALSE(hears.receive());
}

TEST_F(PacketSocketTest, ALinkThatIsDownIsAnError) {
  PacketSocket sends(a_, kProtocol, {});
  shell("ip link set dev a down");
  EXPECT_THROW(sends.send(kEverybody, std::vector<std::uint8_t>{1}), Error);
}

TEST_F(PacketSocketTest, DatagramsGoAndComeByTheLink) {
  shell("ip link set lo up");
  const Link lo = [] {
    Netlink netlink;
    return get_link(netlink, "lo");
  }();
  UdpSocket server(lo, ip("127.0.0.1"), 67);
  UdpSocket client(lo, ip("127.0.0.2"), 68);
  client.send(ip("127.0.0.1"), 67, std::vector<std::uint8_t>{1, 2});
  wait_for(server.fd());
  const auto datagram = server.receive();
  ASSERT_TRUE(datagram);
  EXPECT_EQ(datagram->bytes, (std::vector<std::uint8_t>{1, 2}));
  EXPECT_EQ(datagram->from, ip("127.0.0.2"));
  EXPECT_FALSE(server.receive());
  EXPECT_THROW(UdpSocket(lo, ip("10.9.9.9"), 68), Error) << "an address that is not there";
}

}  // namespace
}  // namespace unicni::net::packet_socket_test
