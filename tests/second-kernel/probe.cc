#include "probe.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <stdexcept>

namespace unicni::test {

namespace {

constexpr std::uint16_t kProbe = 0x88b5;
constexpr std::uint16_t kVlanMask = 0x0fff;

void require(bool done, const std::string& what) {
  if (!done) throw std::runtime_error(what + ": " + std::strerror(errno));
}

void put_be16(std::string& frame, std::uint16_t value) {
  frame += static_cast<char>(value >> 8U);
  frame += static_cast<char>(value & 0xffU);
}

std::uint16_t be16(const char* bytes) {
  return static_cast<std::uint16_t>((static_cast<unsigned char>(bytes[0]) << 8U) |
                                    static_cast<unsigned char>(bytes[1]));
}

std::string mac_bytes(const std::string& text) {
  if (text.empty()) return std::string(ETH_ALEN, '\xff');
  std::array<unsigned, ETH_ALEN> byte{};
  if (std::sscanf(text.c_str(), "%x:%x:%x:%x:%x:%x", &byte[0], &byte[1], &byte[2], &byte[3],
                  &byte[4], &byte[5]) != ETH_ALEN) {
    throw std::runtime_error("no MAC: " + text);
  }
  std::string bytes;
  for (const unsigned each : byte) bytes += static_cast<char>(each);
  return bytes;
}

/// The kernel takes the tag out of the frame and tells it beside the data.
Tag tag_of(msghdr& message) {
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
       each = CMSG_NXTHDR(&message, each)) {
    if (each->cmsg_level != SOL_PACKET || each->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata data{};
    std::memcpy(&data, CMSG_DATA(each), sizeof data);
    if ((data.tp_status & TP_STATUS_VLAN_VALID) == 0) return kUntagged;
    return static_cast<std::uint16_t>(data.tp_vlan_tci & kVlanMask);
  }
  return kUntagged;
}

}  // namespace

std::string text_of(const Tag& tag) { return tag ? "tagged " + std::to_string(*tag) : "untagged"; }

Probe::Probe(int netns, const std::string& link) {
  const int home = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  require(::setns(netns, CLONE_NEWNET) == 0, "setns");
  index_ = static_cast<int>(::if_nametoindex(link.c_str()));
  fd_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  require(::setns(home, CLONE_NEWNET) == 0, "setns");
  ::close(home);
  require(fd_ >= 0, "packet socket");
  const int on = 1;
  require(::setsockopt(fd_, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on) == 0, "PACKET_AUXDATA");
  require(::setsockopt(fd_, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) == 0,
          "PACKET_IGNORE_OUTGOING");
  // Also what isn't for this MAC, as if somebody in there listened to all.
  packet_mreq all{};
  all.mr_ifindex = index_;
  all.mr_type = PACKET_MR_PROMISC;
  require(::setsockopt(fd_, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all) == 0,
          "promiscuous " + link);
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = index_;
  require(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
          "bind to " + link);
}

Probe::~Probe() { ::close(fd_); }

void Probe::send(const Tag& tag, const std::string& text, const std::string& to) const {
  std::string frame = mac_bytes(to) + mac_bytes("02:00:00:00:00:77");
  if (tag) {
    put_be16(frame, ETH_P_8021Q);
    put_be16(frame, *tag);
  }
  put_be16(frame, kProbe);
  frame += text;
  frame.resize(ETH_ZLEN, '\0');
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_ifindex = index_;
  const ssize_t sent = ::sendto(fd_, frame.data(), frame.size(), 0,
                                reinterpret_cast<const sockaddr*>(&address), sizeof address);
  require(sent == static_cast<ssize_t>(frame.size()), "send " + text + ' ' + text_of(tag));
}

std::vector<std::string> Probe::seen_until(const std::string& last) const {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::seconds(5);
  std::vector<std::string> seen;
  while (Clock::now() < end) {
    pollfd wait{fd_, POLLIN, 0};
    if (::poll(&wait, 1, 100) != 1) continue;
    std::array<char, 2048> data{};
    alignas(cmsghdr) std::array<char, 256> control{};
    iovec part{data.data(), data.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(fd_, &message, 0);
    constexpr std::size_t kType = 2 * ETH_ALEN;
    if (size <= static_cast<ssize_t>(kType) || be16(&data[kType]) != kProbe) continue;
    const std::string text = &data[kType + 2];  // ends at the padding
    if (text == last) return seen;
    seen.push_back(text + ", " + text_of(tag_of(message)));
  }
  ADD_FAILURE() << "the probe \"" << last << "\" didn't come";
  return seen;
}

}  // namespace unicni::test
