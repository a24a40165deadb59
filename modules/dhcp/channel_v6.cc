#include "channel_v6.h"

#include <linux/if_ether.h>

#include <algorithm>
#include <array>

#include "neighbour_v6.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/link.h"

namespace unicni::dhcp {

namespace {

// RFC 8415 §7.1, §7.2.
constexpr std::uint16_t kClientPortV6 = 546;
constexpr std::uint16_t kServerPortV6 = 547;
IpAddress all_servers() {
  return IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2});
}

// ICMPv6 neighbour solicitations and advertisements; offsets count from the IPv6 header.
constexpr std::array<sock_filter, 7> kNeighbourFilter{{
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 58, 0, 4),
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 40),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 136, 1, 0),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 135, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0xffff),
    BPF_STMT(BPF_RET | BPF_K, 0),
}};

}  // namespace

IpNet own_link_local(const net::Link& link, const Bytes& duid) {
  if (link.kind != "ipvlan" || duid.size() < 8) return net::link_local(link.mac);
  std::array<std::uint8_t, 16> bytes{0xfe, 0x80};
  std::copy_n(duid.end() - 8, 8, bytes.begin() + 8);
  return {IpAddress::v6(bytes), 64};
}

ChannelV6::ChannelV6(net::Netns netns, const Place& place, const Bytes& duid)
    : netns_(std::move(netns)), link_{place.index, place.if_name} {
  net::Netlink links(netns_);
  const net::Link link = net::get_link(links, place.if_name);
  mac_ = link.mac;
  const IpNet own = net::ready_link_local(links, link_, own_link_local(link, duid));
  netns_.run([&] { udp_.emplace(link_, own.address(), kClientPortV6); });
}

void ChannelV6::send(const PacketV6& packet) {
  udp_->send(all_servers(), kServerPortV6, encode(packet));
}

void ChannelV6::probe(const IpAddress& address) {
  probed_ = address;
  netns_.run([&] { neighbours_.emplace(link_, ETH_P_IPV6, kNeighbourFilter); });
  neighbours_->send(solicited_node_mac(address), neighbour_probe(address));
}

void ChannelV6::receive(const Heard& heard) {
  while (const auto datagram = udp_->receive()) {
    std::string problem;
    if (const auto packet = decode_v6(datagram->bytes, problem)) {
      heard.packet(*packet, datagram->from);
    } else {
      heard.broken(datagram->from.str() + ": " + problem);
    }
  }
  while (const auto frame = neighbours_ ? neighbours_->receive() : std::nullopt) {
    if (probed_ && is_neighbour_conflict(frame->bytes, frame->from, mac_, *probed_)) {
      probed_.reset();
      heard.conflict();
    }
  }
}

std::vector<int> ChannelV6::fds() const {
  std::vector<int> fds{udp_->fd()};
  if (neighbours_) fds.push_back(neighbours_->fd());
  return fds;
}

}  // namespace unicni::dhcp
