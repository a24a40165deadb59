// Elements of our sets as netlink messages, and the bytes of their keys.
#pragma once

#include <linux/netlink.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "net/netlink_socket.h"
#include "netfilter/nft/set.h"
#include "unicni/mac.h"
#include "unicni/netfilter/element.h"

namespace unicni::net {

/// All that an element is, in the order of table, set and key: for sorting and looking up among
/// thousands. Valid as long as the element.
using NftElementContent = std::tuple<NftTable, std::string_view, std::string_view, std::string_view,
                                     std::string_view, std::string_view>;
inline NftElementContent content_of(const NftElement& e) {
  return {e.table, e.set, e.key, e.owner, e.key_end, e.data};
}

/// The attributes of NFT_MSG_NEWSETELEM: key, data, comment.
void put_new_element(nl_msg* message, const NftElement& element);
/// Those of NFT_MSG_DELSETELEM. The kernel compares the key only: read the owner first.
void put_old_element(nl_msg* message, const NftElement& element);

/// The element with that key. nullopt: there is none, or no such set or table.
std::optional<NftElement> read_element(NetlinkSocket& socket, NftTable table,
                                       const std::string& set, const std::string& key);
/// All elements of a set.
std::vector<NftElement> read_elements(NetlinkSocket& socket, NftTable table,
                                      const std::string& set);

/// Whether a set has a `wanted` element, at the price of reading datagrams of them up to the first
/// one with such. The rest of the dump stays in the socket, which is of no other use afterwards.
/// False if there is no such set.
bool has_any_element(
    NetlinkSocket& socket, NftTable table, const std::string& set,
    const std::function<bool(const NftElement&)>& wanted = [](const NftElement&) { return true; });

/// The family of its set's row; IPv4 where it has none.
Family family_of(const NftElement& element);
/// Its data is a chain; and that is the one of an attachment's condition.
bool is_nft_goto(const NftElement& element);
bool is_nft_condition(const NftElement& element);

/// The container's address that an element of an attachment is about, which its key has. nullopt:
/// it is about none, or about an address of the host.
std::optional<IpAddress> find_container_address(const NftElement& element);

/// The container's address that a port of the host leads to, which the element's data has. nullopt:
/// it leads nowhere by itself.
std::optional<IpAddress> find_target_address(const NftElement& element);

/// An address, or an interface's name (Error if it is none), as a field of a key.
std::string address_key(const IpAddress& address);
std::string interface_key(const std::string& name);
std::string mac_key(const Mac& mac);
std::string protocol_key(std::uint8_t protocol);  ///< IPPROTO_*
std::string port_key(std::uint16_t port);
/// The other way round: 4 or 16 bytes.
IpAddress address_from_key(std::string_view bytes);

/// Elements of `set`, whose keys begin with an interface, or with an interface and an address of
/// the attachment behind it.
NftElement interface_element(NftSetKind set, const std::string& interface,
                             const std::string& owner);
NftElement interface_element(NftSetKind set, const std::string& interface, const IpAddress& address,
                             const std::string& owner);

}  // namespace unicni::net
