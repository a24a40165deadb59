#include "unicni/net/packet_socket.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr std::size_t kMostBytes = 65'536;
constexpr int kFlags = SOCK_CLOEXEC | SOCK_NONBLOCK;

bool is_nothing_now(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR ||
         error == ENETDOWN ||    // told once; the next frame comes when the link is UP again
         error == ECONNREFUSED;  // an earlier datagram met no listener
}

/// An address of the kernel's, of either family.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;

  SocketAddress() = default;
  SocketAddress(const IpAddress& address, std::uint16_t port, int index) {
    if (address.is_v4()) {
      sockaddr_in v4{};
      v4.sin_family = AF_INET;
      v4.sin_port = htons(port);
      std::memcpy(&v4.sin_addr, address.data(), address.size());
      std::memcpy(&storage, &v4, size = sizeof v4);
      return;
    }
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    v6.sin6_scope_id = static_cast<std::uint32_t>(index);
    std::memcpy(&v6.sin6_addr, address.data(), address.size());
    std::memcpy(&storage, &v6, size = sizeof v6);
  }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  [[nodiscard]] IpAddress address() const {
    if (storage.ss_family == AF_INET) {
      sockaddr_in v4{};
      std::memcpy(&v4, &storage, sizeof v4);
      return IpAddress::v4(ntohl(v4.sin_addr.s_addr));
    }
    sockaddr_in6 v6{};
    std::memcpy(&v6, &storage, sizeof v6);
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return IpAddress::v6(bytes);
  }
};

void set_option(const sys::Fd& fd, int level, int name, const void* value, socklen_t size,
                const char* what) {
  if (::setsockopt(fd.get(), level, name, value, size) != 0) throw system_error(errno, what);
}

}  // namespace

/// It hears nothing until it is bound to a protocol, so nothing comes in before the filter.
PacketSocket::PacketSocket(const LinkRef& link, std::uint16_t protocol,
                           std::span<const sock_filter> filter)
    : link_(link), protocol_(htons(protocol)), fd_(::socket(AF_PACKET, SOCK_DGRAM | kFlags, 0)) {
  if (!fd_) throw system_error(errno, "create a packet socket for " + link.name);
  if (!filter.empty()) {
    const sock_fprog program{static_cast<unsigned short>(filter.size()),
                             const_cast<sock_filter*>(filter.data())};
    set_option(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program, "filter packets");
  }
  const int on = 1;
  set_option(fd_, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on, "ask for checksums' states");
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = protocol_;
  address.sll_ifindex = link.index;
  if (::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    throw system_error(errno, "bind a packet socket to " + link.name);
  }
}

void PacketSocket::send(const Mac& to, std::span<const std::uint8_t> bytes) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = protocol_;
  address.sll_ifindex = link_.index;
  address.sll_halen = static_cast<unsigned char>(to.bytes().size());
  std::copy(to.bytes().begin(), to.bytes().end(), address.sll_addr);
  ssize_t sent = 0;
  do {
    sent = ::sendto(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL,
                    reinterpret_cast<const sockaddr*>(&address), sizeof address);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) throw system_error(errno, "send by " + link_.name);
}

std::optional<PacketSocket::Frame> PacketSocket::receive() {
  Frame frame;
  frame.bytes.resize(kMostBytes);
  sockaddr_ll from{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(tpacket_auxdata))> control{};
  for (;;) {
    iovec part{frame.bytes.data(), frame.bytes.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(fd_.get(), &message, 0);
    if (size < 0) {
      if (is_nothing_now(errno)) return std::nullopt;
      throw system_error(errno, "receive by " + link_.name);
    }
    if (from.sll_pkttype == PACKET_OUTGOING) continue;
    frame.bytes.resize(static_cast<std::size_t>(size));
    std::array<std::uint8_t, 6> mac{};
    std::copy_n(from.sll_addr, mac.size(), mac.begin());
    frame.from = Mac(mac);
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_PACKET || header->cmsg_type != PACKET_AUXDATA) continue;
      tpacket_auxdata state{};
      std::memcpy(&state, CMSG_DATA(header), sizeof state);
      frame.summed = (state.tp_status & TP_STATUS_CSUMNOTREADY) == 0;
    }
    return frame;
  }
}

UdpSocket::UdpSocket(const LinkRef& link, const IpAddress& address, std::uint16_t port)
    : link_(link), fd_(::socket(address.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | kFlags, 0)) {
  if (!fd_) throw system_error(errno, "create a UDP socket");
  const int on = 1;
  set_option(fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on, "share a UDP port");
  set_option(fd_, SOL_SOCKET, SO_BINDTODEVICE, link.name.data(),
             static_cast<socklen_t>(link.name.size()), "bind a UDP socket to a link");
  SocketAddress own(address, port, link.index);
  if (::bind(fd_.get(), own.get(), own.size) != 0) {
    throw system_error(errno, fmt::format("bind to {} port {}", address.str(), port));
  }
}

void UdpSocket::send(const IpAddress& to, std::uint16_t port, std::span<const std::uint8_t> bytes) {
  SocketAddress address(to, port, link_.index);
  ssize_t sent = 0;
  do {
    sent =
        ::sendto(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, address.get(), address.size);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) throw system_error(errno, fmt::format("send to {} by {}", to.str(), link_.name));
}

std::optional<UdpSocket::Datagram> UdpSocket::receive() {
  Datagram datagram;
  datagram.bytes.resize(kMostBytes);
  SocketAddress from;
  const ssize_t size = ::recvfrom(fd_.get(), datagram.bytes.data(), datagram.bytes.size(), 0,
                                  from.get(), &from.size);
  if (size < 0) {
    if (is_nothing_now(errno)) return std::nullopt;
    throw system_error(errno, "receive by " + link_.name);
  }
  datagram.bytes.resize(static_cast<std::size_t>(size));
  datagram.from = from.address();
  return datagram;
}

}  // namespace unicni::net
