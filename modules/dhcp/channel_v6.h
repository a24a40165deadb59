// The wire of one DHCPv6 client during one exchange: sockets in the namespace of its link. As a
// Channel of IPv4, it lives no longer than its exchange.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "lease.h"
#include "packet_v6.h"
#include "unicni/net/kept_link.h"
#include "unicni/net/packet_socket.h"

namespace unicni::dhcp {

/// The link-local address with which a link that has none may begin. Links of ipvlan share a MAC,
/// so theirs is made of the DUID.
IpNet own_link_local(const net::Link& link, const Bytes& duid);

/// Throws Error(internal) if somebody has switched IPv6 off on that interface, which takes its
/// addresses away.
void require_ipv6(const net::Netns& netns, const std::string& if_name);

class ChannelV6 {
 public:
  /// On the link that find_place() has. It speaks from a link-local address that is ready at once,
  /// by frames. Throws Error: a socket can't be made, or the link is gone.
  ChannelV6(net::LinkInNetns place, const Bytes& duid);

  /// What send() sends, an IPv6 packet.
  [[nodiscard]] Bytes wrapped(const PacketV6& packet) const;
  /// To all servers and relays of the link. Throws Error: the link is down or gone.
  void send(const PacketV6& packet);
  /// From now on conflicts are heard. Throws Error.
  void probe(const IpAddress& address);

  struct Heard {
    std::function<void(const PacketV6&, const IpAddress& sender)> packet;
    std::function<void(const std::string& problem)> broken;
    std::function<void()> conflict;
  };
  /// All that has come. Throws Error.
  void receive(const Heard& heard);
  /// Descriptors that become readable.
  [[nodiscard]] std::vector<int> fds() const;

 private:
  net::Netns netns_;
  net::LinkRef link_;
  Mac mac_;
  IpAddress own_;
  std::optional<net::PacketSocket> dhcp_;
  std::optional<net::UdpSocket> udp_;
  std::optional<net::PacketSocket> neighbours_;
  std::optional<IpAddress> probed_;
};

}  // namespace unicni::dhcp
