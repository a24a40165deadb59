// Pairs of links, each of which gets what the other one sends. veth(4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "unicni/net/link_kind.h"

namespace unicni::net {

inline constexpr LinkKind kVeth{"veth", "veth"};

struct VethSpec {
  std::string name;  ///< this end, in the namespace of the batch
  Mac mac;
  std::string alias;      ///< IFLA_IFALIAS, at most 255 bytes; empty: none
  bool up = true;         ///< this end
  int master = 0;         ///< bridge's ifindex; 0: none
  bool hairpin = false;   ///< as a port of `master`: may get its own frames back
  bool isolated = false;  ///< as a port of `master`: doesn't reach other isolated ports
  std::uint32_t mtu = 0;  ///< of both ends; 0: the kernel's default
  std::string peer_name;
  Mac peer_mac;
  const Netns* peer_netns = nullptr;  ///< where the peer is born; must outlive commit()

  /// The MTU that both ends will have (veth_setup() leaves Ethernet's).
  [[nodiscard]] std::uint32_t mtu_or_default() const { return mtu != 0 ? mtu : 1500; }
};
/// One message makes both ends; this one may be UP at once, the peer can't (ENOTCONN in veth_open).
/// Alias and port settings follow in a second one, as the kernel takes them of existing links only.
void add_veth(Batch&, const VethSpec&);

/// The other end of a veth, if it is in the namespace of `there`: an index alone says little, as
/// containers that were made alike have links of equal indices. `link` is one of `here`; nullopt:
/// no veth, or its other end is elsewhere.
std::optional<Link> find_veth_end(Netlink& here, const Link& link, Netlink& there,
                                  const Netns& there_netns);

/// "veth" and 8 random hex digits, as the reference names host ends.
std::string random_veth_name();

}  // namespace unicni::net
