#include "channel.h"

#include <linux/if_ether.h>

#include <array>

#include "datagram.h"
#include "unicni/error.h"

namespace unicni::dhcp {

namespace {

constexpr std::array<std::uint8_t, 6> kAllOnes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

// UDP to port 68 that is no later fragment; offsets count from the IP header.
constexpr std::array<sock_filter, 9> kDhcpFilter{{
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 6),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 4, 0),
    BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
    BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kClientPort, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0xffff),
    BPF_STMT(BPF_RET | BPF_K, 0),
}};

net::PacketSocket open(const net::Netns& netns, const net::LinkRef& link, std::uint16_t protocol,
                       std::span<const sock_filter> filter) {
  std::optional<net::PacketSocket> socket;
  netns.run([&] { socket.emplace(link, protocol, filter); });
  return *std::move(socket);
}

}  // namespace

/// A server that can't be reached as the container's own packets are (its address was taken away,
/// the port is taken) is asked by the way that its last answer came.
Channel::Channel(net::LinkInNetns place, const GrantV4* grant)
    : netns_(std::move(place.netns)),
      link_(place.link),
      mac_(place.link.mac),
      next_hop_(grant == nullptr ? Mac(kAllOnes) : grant->next_hop),
      dhcp_(open(netns_, link_, ETH_P_IP, kDhcpFilter)) {
  if (grant == nullptr) return;
  try {
    netns_.run([&] { udp_.emplace(link_, grant->address.address(), kClientPort); });
  } catch (const Error&) {
    udp_.reset();
  }
}

/// Who has no address yet is answered at the MAC that it names, and by relays (RFC 1542 §4.1.2) who
/// has one as well. What goes to another MAC than the link's isn't heard.
Packet Channel::answerable(Packet packet) const {
  packet.broadcast = packet.broadcast || packet.chaddr != mac_;
  return packet;
}

void Channel::send(const ClientV4::Send& send) {
  if (send.way == ClientV4::Way::everybody) {
    dhcp_.send(Mac(kAllOnes), wrap({send.src, send.dst, encode(answerable(send.packet))}));
  } else if (udp_) {
    udp_->send(send.dst, kServerPort, encode(send.packet));
  } else {
    send_at_once(send);
  }
}

void Channel::send_at_once(const ClientV4::Send& send) {
  dhcp_.send(next_hop_, wrap({send.src, send.dst, encode(send.packet)}));
}

void Channel::probe(const IpAddress& address) {
  probed_ = address;
  arp_.emplace(open(netns_, link_, ETH_P_ARP, {}));
  arp_->send(Mac(kAllOnes), arp_probe(mac_, address));
}

void Channel::receive(const Heard& heard) {
  while (const auto frame = dhcp_.receive()) {
    const auto datagram = unwrap(frame->bytes, frame->summed);
    if (!datagram) continue;
    std::string problem;
    if (const auto packet = decode(datagram->payload, problem)) {
      heard.packet(*packet, frame->from);
    } else {
      heard.broken(datagram->src.str() + ": " + problem);
    }
  }
  while (const auto frame = arp_ ? arp_->receive() : std::nullopt) {
    if (probed_ && is_arp_conflict(frame->bytes, mac_, *probed_)) {
      probed_.reset();
      heard.conflict(frame->from);
    }
  }
}

/// Answers to the UDP socket's requests come to the packet socket as well, where they are read.
std::vector<int> Channel::fds() const {
  std::vector<int> fds{dhcp_.fd()};
  if (arp_) fds.push_back(arp_->fd());
  return fds;
}

}  // namespace unicni::dhcp
