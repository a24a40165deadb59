// Where ports of this host are published, and who has which. A port at any address is one key of a
// map, one at single addresses a key each, with and without a condition in different maps: the
// kernel holds none of these against another. A claim does, one element for each port.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unicni/error.h"
#include "unicni/ip.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

/// Where a port is published: of a family, protocol and number, at one address of the host or at
/// any.
struct PortPlace {
  Family family = Family::v4;
  std::string number;   ///< protocol and port, the key of the claim
  std::string address;  ///< bytes; empty: any
  friend auto operator<=>(const PortPlace&, const PortPlace&) = default;
};
/// The place that an element holds, or is about; nullopt for those about a container's address and
/// for claims of single addresses.
std::optional<PortPlace> find_place(const NftElement& element);
bool overlap(const PortPlace& one, const PortPlace& other);

/// That the port of `place` is in use: `owner` is the attachment's where it is at any address, else
/// the network's, as attachments at single addresses share it.
NftElement claim_element(const PortPlace& place, const std::string& owner);
/// Whether an element says that a port is in use, and if so whether at single addresses.
bool is_claim(const NftElement& element);
bool claims_single_addresses(const NftElement& element);
/// Whether `claim` is the one for the port of `place`.
bool is_claim_of(const NftElement& claim, const PortPlace& place);
/// Whether an element is about a port of the host, and not about a container's address.
bool is_about_host_port(const NftElement& element);

/// Who has `place` or a part of it, each by one element: a claim of any address, or what leads from
/// a single one. One round trip where nobody does.
std::vector<NftElement> find_port_holders(Nft& nft, const PortPlace& place);
/// All elements about the host's port that belong to `holder`, itself among them. What claims
/// single addresses is their network's and not among them.
std::vector<NftElement> elements_of_holder(Nft& nft, const NftElement& holder);
/// What holds a port at single addresses, where `claim` is the element of claim4 or claim6 that
/// says so and keeps others from the port at any address. Empty: nobody does any more. Reads all
/// such ports of the host.
std::vector<NftElement> find_single_ports(Nft& nft, const NftElement& claim);
/// The claims that a removal of `elements` leaves without a port: single addresses share one.
std::vector<NftElement> find_idle_claims(Nft& nft, const std::vector<NftElement>& elements);
/// What holds a port at any address, where `claim` says so.
std::vector<NftElement> find_any_port(Nft& nft, const NftElement& claim);
/// Where `element` leads from a single address: what the other map has for the same place, the one
/// with conditions or the one without. nullopt: nothing, or `element` is no such.
std::optional<NftElement> find_rival(Nft& nft, const NftElement& element);

/// What to say to `wanting`, whose port another attachment has.
Error port_is_taken(const NftElement& holder, const std::string& wanting);

}  // namespace unicni::net
