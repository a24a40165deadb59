// Frames of one link, and datagrams through one link, for protocols that the kernel doesn't speak
// itself. packet(7), udp(7).
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "unicni/ip.h"
#include "unicni/mac.h"
#include "unicni/net/link.h"
#include "unicni/sys/fd.h"

namespace unicni::net {

/// All that a link receives of one Ethernet protocol, without its Ethernet headers. Doesn't block.
/// A socket keeps the namespace that it was made in alive.
class PacketSocket {
 public:
  /// In the calling thread's namespace; `protocol` is an ETH_P_*. The kernel hands over what
  /// `filter` takes, from the first frame on; an empty one takes all. Throws Error.
  PacketSocket(const LinkRef& link, std::uint16_t protocol, std::span<const sock_filter> filter);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// To one neighbour, or to all with ff:ff:ff:ff:ff:ff. Throws Error: the link is down or gone.
  void send(const Mac& to, std::span<const std::uint8_t> bytes);

  struct Frame {
    std::vector<std::uint8_t> bytes;
    Mac from;
    bool summed = true;  ///< false: it never left the machine, and checksums may not be made yet
  };
  /// The next frame that came to this link; nullopt: there is none now. Throws Error.
  std::optional<Frame> receive();

 private:
  LinkRef link_;
  std::uint16_t protocol_;
  sys::Fd fd_;
};

/// A UDP socket that sends and receives by one link. Doesn't block.
class UdpSocket {
 public:
  /// In the calling thread's namespace, bound to that address and port. Throws Error.
  UdpSocket(const LinkRef& link, const IpAddress& address, std::uint16_t port);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  void send(const IpAddress& to, std::uint16_t port, std::span<const std::uint8_t> bytes);

  struct Datagram {
    std::vector<std::uint8_t> bytes;
    IpAddress from;
  };
  std::optional<Datagram> receive();

 private:
  LinkRef link_;
  sys::Fd fd_;
};

}  // namespace unicni::net
