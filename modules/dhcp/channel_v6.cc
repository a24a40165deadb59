#include "channel_v6.h"

#include <fmt/core.h>
#include <linux/if_ether.h>

#include <algorithm>
#include <array>

#include "datagram.h"
#include "neighbour_v6.h"
#include "unicni/error.h"
#include "unicni/net/addr.h"
#include "unicni/net/link.h"
#include "unicni/net/sysctl.h"

namespace unicni::dhcp {

namespace {

// RFC 8415 §7.1.
IpAddress all_servers() {
  return IpAddress::v6({0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2});
}
constexpr std::array<std::uint8_t, 6> kAllServersMac{0x33, 0x33, 0, 1, 0, 2};  // RFC 2464 §7

// UDP to port 546; offsets count from the IPv6 header.
constexpr std::array<sock_filter, 6> kDhcpFilter{{
    BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 17, 0, 3),
    BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 42),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kClientPortV6, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, 0xffff),
    BPF_STMT(BPF_RET | BPF_K, 0),
}};

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

void require_ipv6(const net::Netns& netns, const std::string& if_name) {
  const std::string conf = fmt::format("net/ipv6/conf/{}/disable_ipv6", if_name);
  std::optional<std::string> value;
  netns.run([&] { value = net::find_sysctl(conf); });
  if (!value || net::same_sysctl_value(*value, "0")) return;
  throw Error(
      Code::internal, fmt::format("IPv6 is switched off on {}", if_name),
      fmt::format("in the container: sysctl -w {}=0; then DEL and ADD the attachment again", conf));
}

IpNet own_link_local(const net::Link& link, const Bytes& duid) {
  if (link.kind != "ipvlan" || duid.size() < 8) return net::link_local(link.mac);
  std::array<std::uint8_t, 16> bytes{0xfe, 0x80};
  std::copy_n(duid.end() - 8, 8, bytes.begin() + 8);
  return {IpAddress::v6(bytes), 64};
}

/// Frames pass by the container's rules, and by its programs, of which one may have the port. The
/// UDP socket is there so that the kernel refuses no answer; nobody reads it.
ChannelV6::ChannelV6(net::LinkInNetns place, const Bytes& duid)
    : netns_(std::move(place.netns)), link_(place.link), mac_(place.link.mac) {
  require_ipv6(netns_, link_.name);
  net::Netlink links(netns_);
  own_ = net::ready_link_local(links, link_, own_link_local(place.link, duid)).address();
  netns_.run([&] {
    dhcp_.emplace(link_, ETH_P_IPV6, kDhcpFilter);
    try {
      udp_.emplace(link_, own_, kClientPortV6);
    } catch (const Error&) {
      udp_.reset();
    }
  });
}

Bytes ChannelV6::wrapped(const PacketV6& packet) const {
  return wrap_v6({own_, all_servers(), encode(packet)});
}

void ChannelV6::send(const PacketV6& packet) { dhcp_->send(Mac(kAllServersMac), wrapped(packet)); }

void ChannelV6::probe(const IpAddress& address) {
  probed_ = address;
  netns_.run([&] { neighbours_.emplace(link_, ETH_P_IPV6, kNeighbourFilter); });
  neighbours_->send(solicited_node_mac(address), neighbour_probe(address));
}

void ChannelV6::receive(const Heard& heard) {
  while (const auto frame = dhcp_->receive()) {
    const auto datagram = unwrap_v6(frame->bytes, frame->summed);
    if (!datagram || datagram->dst != own_) continue;
    std::string problem;
    if (const auto packet = decode_v6(datagram->payload, problem)) {
      heard.packet(*packet, datagram->src);
    } else {
      heard.broken(datagram->src.str() + ": " + problem);
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
  std::vector<int> fds{dhcp_->fd()};
  if (neighbours_) fds.push_back(neighbours_->fd());
  return fds;
}

}  // namespace unicni::dhcp
