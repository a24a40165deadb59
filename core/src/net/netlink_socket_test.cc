// What a conversation takes from its socket, and what it leaves alone.
#include "net/netlink_socket.h"

#include <gmock/gmock.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <stdexcept>

#include "net/attribute.h"
#include "net/private_netns_for_test.h"
#include "net/single_request.h"
#include "unicni/sys/fd.h"

namespace unicni::net::netlink_socket_test {
namespace {

class NetlinkSocketTest : public PrivateNetnsTest {};

SingleRequest ask_for_links() {
  SingleRequest request(RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP);
  put_header<ifinfomsg>(request);
  return request;
}

/// Hears one dump.
class Hearer : public Listener {
 public:
  explicit Hearer(std::uint32_t sequence) : sequence_(sequence) {}
  [[nodiscard]] bool expects(std::uint32_t sequence) const noexcept override {
    return sequence == sequence_;
  }
  bool on_answer(nl_msg*) override {
    ++answers;
    if (throws) throw std::runtime_error("heard enough");
    return answers < wanted;
  }
  bool on_result(const Acknowledgement& result) override {
    error = result.error;
    return false;
  }

  int answers = 0;
  int wanted = 1'000'000;
  bool throws = false;
  int error = -1;

 private:
  std::uint32_t sequence_;
};

/// Sends the dump request and lets `hearer` hear what it will.
void dump_links(NetlinkSocket& socket, Hearer& hearer, std::uint32_t sequence) {
  const SingleRequest request = ask_for_links();
  header_of(request)->nlmsg_seq = sequence;
  socket.send(request);
  socket.receive(hearer);
}

TEST_F(NetlinkSocketTest, OneReadingTakesAWholeDump) {
  shell("for i in $(seq 60); do ip link add br$i type bridge; done");
  NetlinkSocket socket(NETLINK_ROUTE);
  const std::uint32_t sequence = socket.take_sequence();
  Hearer all(sequence);
  dump_links(socket, all, sequence);
  EXPECT_EQ(all.answers, 61);
  EXPECT_EQ(all.error, 0);
}

TEST_F(NetlinkSocketTest, ADumpIsReadOnlyAsFarAsWanted) {
  shell("for i in $(seq 60); do ip link add br$i type bridge; done");
  NetlinkSocket socket(NETLINK_ROUTE);
  const std::uint32_t sequence = socket.take_sequence();
  Hearer few(sequence);
  few.wanted = 2;
  dump_links(socket, few, sequence);
  EXPECT_EQ(few.answers, 2);
  EXPECT_EQ(few.error, -1) << "it doesn't know how the dump would have ended";
}

TEST_F(NetlinkSocketTest, WhatAListenerThrowsComesOutAndTheSocketGoesOn) {
  NetlinkSocket socket(NETLINK_ROUTE);
  const std::uint32_t sequence = socket.take_sequence();
  Hearer failing(sequence);
  failing.throws = true;
  EXPECT_THROW(dump_links(socket, failing, sequence), std::runtime_error);
  int links = 0;
  const SingleRequest request = ask_for_links();
  EXPECT_EQ(socket.ask(request, NetlinkSocket::Expect::dump, [&](const nlmsghdr*) { ++links; }), 0);
  EXPECT_EQ(links, 1);
}

TEST_F(NetlinkSocketTest, OnlyTheKernelIsHeard) {
  NetlinkSocket socket(NETLINK_ROUTE);
  const SingleRequest request = ask_for_links();
  ASSERT_EQ(socket.ask(request, NetlinkSocket::Expect::dump, {}), 0);
  sockaddr_nl address{};
  socklen_t size = sizeof address;
  ASSERT_EQ(::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &size), 0);

  // A refusal of the next request, by somebody else.
  struct {
    nlmsghdr header;
    nlmsgerr error;
  } forged{};
  forged.header.nlmsg_len = sizeof forged;
  forged.header.nlmsg_type = NLMSG_ERROR;
  forged.header.nlmsg_seq = header_of(request)->nlmsg_seq + 1;
  forged.error.error = -EPERM;
  const sys::Fd other(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  ASSERT_EQ(::sendto(other.get(), &forged, sizeof forged, 0, reinterpret_cast<sockaddr*>(&address),
                     sizeof address),
            static_cast<ssize_t>(sizeof forged));

  int links = 0;
  EXPECT_EQ(socket.ask(request, NetlinkSocket::Expect::dump, [&](const nlmsghdr*) { ++links; }), 0);
  EXPECT_EQ(links, 1);
}

TEST_F(NetlinkSocketTest, SequenceNumbersOfARowAreNobodyElses) {
  NetlinkSocket socket(NETLINK_ROUTE);
  const std::uint32_t first = socket.take_sequence(3);
  EXPECT_EQ(socket.take_sequence(), first + 3);
}

/// The buffers are the kernel's default: libnl's own would hold a sixth of it.
TEST_F(NetlinkSocketTest, BuffersAreThoseThatTheKernelGives) {
  const sys::Fd plain(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  NetlinkSocket socket(NETLINK_ROUTE);
  for (const int option : {SO_SNDBUF, SO_RCVBUF}) {
    int wanted = 0;
    int is = 0;
    socklen_t size = sizeof is;
    ASSERT_EQ(::getsockopt(plain.get(), SOL_SOCKET, option, &wanted, &size), 0);
    ASSERT_EQ(::getsockopt(socket.fd(), SOL_SOCKET, option, &is, &size), 0);
    EXPECT_EQ(is, wanted);
  }
}

}  // namespace
}  // namespace unicni::net::netlink_socket_test
