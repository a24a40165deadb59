// An element of a set of our nftables tables: what an attachment or a network has there. Made by
// masquerade.h, forwarding.h, ingress_policy.h, spoof_check.h, published_port.h and localnet.h.
#pragma once

#include <cstdint>
#include <string>

namespace unicni::net {

/// Our tables. They are independent of each other: a host whose attachments don't use
/// one never gets it.
enum class NftTable : std::uint8_t {
  inet,    ///< `inet unicni`: IP packets
  bridge,  ///< `bridge unicni`: frames between the ports of a bridge
};

/// One element of a set of our tables. Its comment is its owner ("network/container/ifname", or the
/// network's name for elements that a network shares).
struct NftElement {
  std::string set;  ///< "masq4_16", "net_if", "port_mac" …
  std::string
      key;  ///< bytes as the kernel wants them: fields in network order, each padded to 4 bytes
  std::string key_end;  ///< of sets of former versions: the last key of a range; else empty
  std::string owner;    ///< at most 128 bytes of printable ASCII without quotes, see nft_owner()
  NftTable table = NftTable::inet;
  /// Of a map: bytes, laid out as keys are, or the chain that a verdict map goes to. Else empty.
  std::string data = {};
  friend bool operator==(const NftElement&, const NftElement&) = default;
};

/// `owner` shortened to what a comment can hold: 128 bytes; longer ones keep their end and get a
/// hash in front.
std::string nft_owner(const std::string& owner);
/// The container of an element's owner, "network/container/ifname"; empty: it was cut, or the owner
/// is a network.
std::string find_container(const std::string& owner);
/// Whether an element's owner is an attachment of that container, on whatever network.
bool is_of_container(const std::string& owner, const std::string& container_id);

}  // namespace unicni::net
