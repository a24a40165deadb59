#include "support/raw_packets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>

namespace unicni::test {
namespace {

constexpr std::size_t kSctpHeader = 12;
constexpr int kInit = 1;

void in_netns(int netns, const std::function<void()>& work) {
  const int home = ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(::setns(netns, CLONE_NEWNET), 0) << std::strerror(errno);
  work();
  EXPECT_EQ(::setns(home, CLONE_NEWNET), 0) << std::strerror(errno);
  ::close(home);
}

/// CRC32c, RFC 9260 appendix A; as it stands in the packet.
std::uint32_t crc32c(const std::string& bytes) {
  constexpr std::uint32_t kPolynomial = 0x82f63b78;
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0);
  }
  return ~crc;
}

void put16(std::string& bytes, std::size_t at, int value) {
  const std::uint16_t wire = htons(static_cast<std::uint16_t>(value));
  std::memcpy(bytes.data() + at, &wire, sizeof wire);
}

void put32(std::string& bytes, std::size_t at, std::uint32_t value) {
  const std::uint32_t wire = htonl(value);
  std::memcpy(bytes.data() + at, &wire, sizeof wire);
}

int get16(const std::string& bytes, std::size_t at) {
  std::uint16_t wire = 0;
  std::memcpy(&wire, bytes.data() + at, sizeof wire);
  return ntohs(wire);
}

/// Without checksum: RFC 9260, 3.3.2.
std::string sctp_init(int from_port, int to_port) {
  constexpr int kChunk = 20;
  std::string packet(kSctpHeader + kChunk, '\0');
  put16(packet, 0, from_port);
  put16(packet, 2, to_port);
  packet[kSctpHeader] = kInit;
  put16(packet, kSctpHeader + 2, kChunk);
  put32(packet, kSctpHeader + 4, 0x01020304);  // initiate tag
  put32(packet, kSctpHeader + 8, 65536);       // window
  put16(packet, kSctpHeader + 12, 1);          // streams out
  put16(packet, kSctpHeader + 14, 1);          // and in
  put32(packet, kSctpHeader + 16, 1);          // first TSN
  const std::uint32_t sum = crc32c(packet);
  std::memcpy(packet.data() + 8, &sum, sizeof sum);  // little endian, as the CRC is reflected
  return packet;
}

}  // namespace

bool send_router_advertisement(int netns, const std::string& link, const std::string& prefix) {
  bool sent = false;
  in_netns(netns, [&] {
    struct {
      nd_router_advert head;
      nd_opt_prefix_info prefix;
    } message{};
    message.head.nd_ra_type = ND_ROUTER_ADVERT;
    message.head.nd_ra_curhoplimit = 64;
    message.head.nd_ra_router_lifetime = htons(1800);
    message.prefix.nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION;
    message.prefix.nd_opt_pi_len = 4;
    message.prefix.nd_opt_pi_prefix_len = 64;
    message.prefix.nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO;
    message.prefix.nd_opt_pi_valid_time = htonl(3600);
    message.prefix.nd_opt_pi_preferred_time = htonl(3600);
    ::inet_pton(AF_INET6, prefix.c_str(), &message.prefix.nd_opt_pi_prefix);
    const int fd = ::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6);
    const int hops = 255;  // else it isn't from the same link
    ::setsockopt(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
    sockaddr_in6 all_nodes{};
    all_nodes.sin6_family = AF_INET6;
    all_nodes.sin6_scope_id = ::if_nametoindex(link.c_str());
    ::inet_pton(AF_INET6, "ff02::1", &all_nodes.sin6_addr);
    sent = ::sendto(fd, &message, sizeof message, 0, reinterpret_cast<const sockaddr*>(&all_nodes),
                    sizeof all_nodes) == static_cast<ssize_t>(sizeof message);
    EXPECT_TRUE(sent || errno == EADDRNOTAVAIL) << std::strerror(errno);
    ::close(fd);
  });
  return sent;
}

void send_sctp_init(int netns, const std::string& to, int to_port, int from_port) {
  in_netns(netns, [&] {
    const bool v6 = to.find(':') != std::string::npos;
    const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_SCTP);
    const std::string packet = sctp_init(from_port, to_port);
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    EXPECT_EQ(v6 ? ::inet_pton(AF_INET6, to.c_str(), &six.sin6_addr)
                 : ::inet_pton(AF_INET, to.c_str(), &four.sin_addr),
              1);
    const auto* address =
        v6 ? reinterpret_cast<const sockaddr*>(&six) : reinterpret_cast<const sockaddr*>(&four);
    EXPECT_EQ(::sendto(fd, packet.data(), packet.size(), 0, address,
                       static_cast<socklen_t>(v6 ? sizeof six : sizeof four)),
              static_cast<ssize_t>(packet.size()))
        << std::strerror(errno);
    ::close(fd);
  });
}

SctpListener::SctpListener(int netns, bool v6) : fd_(-1), v6_(v6) {
  in_netns(netns,
           [&] { fd_ = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_SCTP); });
  EXPECT_GE(fd_, 0) << std::strerror(errno);
}

SctpListener::~SctpListener() { ::close(fd_); }

std::optional<SctpPacket> SctpListener::next(std::chrono::milliseconds patience) const {
  pollfd wait{fd_, POLLIN, 0};
  if (::poll(&wait, 1, static_cast<int>(patience.count())) != 1) return std::nullopt;
  std::string bytes(2048, '\0');
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  const ssize_t got =
      ::recvfrom(fd_, bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
  if (got < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(got));
  // IPv4's raw sockets show the header, IPv6's don't.
  if (!v6_) bytes.erase(0, static_cast<std::size_t>(bytes[0] & 0xf) * 4);
  if (bytes.size() < kSctpHeader + 4) return std::nullopt;
  SctpPacket packet;
  char text[INET6_ADDRSTRLEN] = "";
  const void* address =
      v6_ ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(from).sin6_addr)
          : &reinterpret_cast<const sockaddr_in&>(from).sin_addr;
  packet.from = ::inet_ntop(from.ss_family, address, text, sizeof text);
  packet.from_port = get16(bytes, 0);
  packet.to_port = get16(bytes, 2);
  packet.chunk = bytes[kSctpHeader];
  std::uint32_t sum = 0;
  std::memcpy(&sum, bytes.data() + 8, sizeof sum);
  std::memset(bytes.data() + 8, 0, sizeof sum);
  packet.whole = sum == crc32c(bytes);
  return packet;
}

}  // namespace unicni::test
