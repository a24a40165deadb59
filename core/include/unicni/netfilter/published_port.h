// Ports of this host that lead to containers: elements of our nftables table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unicni/ip.h"
#include "unicni/netfilter/localnet.h"
#include "unicni/netfilter/nft.h"
#include "unicni/netfilter/port_place.h"

namespace unicni::net {

struct PublishedPort {
  std::uint8_t protocol = 0;         ///< IPPROTO_TCP, _UDP or _SCTP
  std::optional<IpAddress> host_ip;  ///< nullopt: any address of the container's family
  std::uint16_t host_port = 0;
  IpAddress container;
  std::uint16_t container_port = 0;
  /// Length of the prefix of the container's subnet, whose senders couldn't get the answers
  /// otherwise; nullopt: there is none.
  std::optional<int> prefix{};
  bool snat = true;  ///< senders that couldn't get the answers otherwise get the host's address
  bool masq_all = false;               ///< all senders get it
  std::optional<unsigned> mark_bit{};  ///< 0 to 31: who gets it has this bit of the mark as well
  std::string condition{};             ///< NftCondition::chain; empty: everybody may connect
};

struct PortElements {
  std::vector<NftElement> own;
  std::vector<NftElement> shared;  ///< that the port is in use at single addresses
};
/// A port is one key of a map (family, protocol, any address or one, number), so it has one owner.
PortElements port_elements(const PublishedPort& port, const std::string& owner,
                           const std::string& network);

/// What came from the subnet of the container gets the host's address, or the bit of the mark, as
/// an element of pub4, pub6, bit4 or bit6 says of others: sets "hairpin4_<prefix>", "bit4_<prefix>"
/// …
NftElement hairpin_element(const NftElement& about_endpoint, const IpNet& container);

/// Where `port` is published.
PortPlace place_of(const PublishedPort& port);

/// Whether any port of this host is published in that family. What it opens is closed with `nft`.
bool has_published_ports(Nft& nft, Family family);

}  // namespace unicni::net
