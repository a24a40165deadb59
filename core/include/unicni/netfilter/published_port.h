// Ports of this host that lead to containers: elements of our nftables table.
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

/// Where a port is published: of a family, protocol and number, at one address of the host or at
/// any.
struct PortPlace {
  Family family = Family::v4;
  std::string number;   ///< protocol and port, the key of the claim
  std::string address;  ///< bytes; empty: any
  friend auto operator<=>(const PortPlace&, const PortPlace&) = default;
};
PortPlace place_of(const PublishedPort& port);
/// The place that an element holds, or is about; nullopt for those about a container's address and
/// for claims of single addresses.
std::optional<PortPlace> find_place(const NftElement& element);
bool overlap(const PortPlace& one, const PortPlace& other);
/// Who has `place` or a part of it, each by one element: a claim of any address, or what leads from
/// a single one. One round trip where nobody does.
std::vector<NftElement> find_port_holders(Nft& nft, const PortPlace& place);
/// All elements about the host's port that belong to `holder`, itself among them. What claims
/// single addresses is their network's and not among them.
std::vector<NftElement> elements_of_holder(Nft& nft, const NftElement& holder);
/// The container of an element's owner, "network/container/ifname"; empty: it was cut, or the owner
/// is a network.
std::string find_container(const std::string& owner);
/// Whether an element's owner is an attachment of that container, on whatever network.
bool is_of_container(const std::string& owner, const std::string& container_id);

/// What holds a port at single addresses, where `claim` is the element of claim4 or claim6 that
/// says so and keeps others from the port at any address. Empty: nobody does any more. Reads all
/// such ports of the host.
std::vector<NftElement> find_single_ports(Nft& nft, const NftElement& claim);
/// The claims that a removal of `elements` leaves without a port: single addresses share one.
std::vector<NftElement> find_idle_claims(Nft& nft, const std::vector<NftElement>& elements);
/// What holds a port at any address, where `claim` says so.
std::vector<NftElement> find_any_port(Nft& nft, const NftElement& claim);
/// Whether an element says that a port is in use, and if so whether at single addresses.
bool is_claim(const NftElement& element);
bool claims_single_addresses(const NftElement& element);
/// Whether an element is about a port of the host, and not about a container's address.
bool is_about_host_port(const NftElement& element);

/// What to say to `wanting`, whose port another attachment has.
Error port_is_taken(const NftElement& holder, const std::string& wanting);

/// On `interface` packets may have addresses of 127.0.0.0/8 (sysctl route_localnet), which then is
/// for answers only; of the network. `by_us`: it was us who set it, so we set it back.
NftElement localnet_element(const std::string& interface, const std::string& network, bool by_us);
/// The element of an interface, whoever set its sysctl.
std::optional<NftElement> find_localnet(Nft& nft, const std::string& interface);
/// Whether it was us.
bool is_localnet_by_us(const NftElement& element);
/// All such elements, and the interface that one is about.
std::vector<NftElement> list_localnets(Nft& nft);
std::string interface_of_localnet(const NftElement& element);
/// An attachment that needs it on `interface`, whatever backend its ports have; and whether any
/// does.
NftElement localnet_user_element(const std::string& interface, const IpAddress& container,
                                 const std::string& owner);
bool is_localnet_used(Nft& nft, const std::string& interface);

/// Whether any port of this host is published in that family. What it opens is closed with `nft`.
bool has_published_ports(Nft& nft, Family family);

/// The condition of an attachment's ports in one family. `text` is what nft(8) takes in a rule
/// before the verdict.
NftCondition port_condition(Family family, const std::string& text, const std::string& owner);
/// Throws Error (Code::invalid_config) with nft's words if `text` is no condition, before anything
/// is changed. Loads libnftables.
void require_condition(const NftCondition& condition);

}  // namespace unicni::net
