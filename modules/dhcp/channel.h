// The wire of one client during one exchange: sockets in the namespace of its link. Sockets keep a
// namespace alive, so a channel lives no longer than its exchange.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "client_v4.h"
#include "lease.h"
#include "unicni/net/kept_link.h"
#include "unicni/net/packet_socket.h"

namespace unicni::dhcp {

class Channel {
 public:
  /// `place`: the client's link as find_place() has it. `grant`: what the client has by now, if it
  /// has something. Throws Error: a socket can't be made.
  Channel(net::LinkInNetns place, const GrantV4* grant);

  /// Throws Error: the link is down or gone.
  void send(const ClientV4::Send& send);
  /// Straight to the server's, or relay's, MAC: what must be out before the link is deleted can't
  /// wait for ARP.
  void send_at_once(const ClientV4::Send& send);
  /// From now on conflicts are heard. Throws Error.
  void probe(const IpAddress& address);

  struct Heard {
    std::function<void(const Packet&, const Mac& from)> packet;
    std::function<void(const std::string& problem)> broken;
    std::function<void(const Mac& holder)> conflict;
  };
  /// All that has come. Throws Error.
  void receive(const Heard& heard);
  /// Descriptors that become readable.
  [[nodiscard]] std::vector<int> fds() const;

 private:
  [[nodiscard]] Packet answerable(Packet packet) const;

  net::Netns netns_;
  net::LinkRef link_;
  Mac mac_;  ///< the link's own, which needn't be the one that servers know the client by
  Mac next_hop_;
  net::PacketSocket dhcp_;
  std::optional<net::UdpSocket> udp_;  ///< to the server, by the container's own routes
  std::optional<net::PacketSocket> arp_;
  std::optional<IpAddress> probed_;
};

}  // namespace unicni::dhcp
