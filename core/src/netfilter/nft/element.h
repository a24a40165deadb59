// Elements of our sets as netlink messages.
#pragma once

#include <linux/netlink.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/netlink_socket.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

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

/// The family that the name of its set tells ("port4_at", "masq6_64").
Family family_of(const NftElement& element);
/// How long the keys of its set are; nullopt: this version doesn't know the set.
std::optional<std::size_t> key_size_of(const NftElement& element);
/// Its data is a chain; and that is the one of an attachment's condition.
bool is_nft_goto(const NftElement& element);
bool is_nft_condition(const NftElement& element);

/// An address, or an interface's name (Error if it is none), as a field of a key.
std::string address_key(const IpAddress& address);
std::string interface_key(const std::string& name);
/// The other way round: 4 or 16 bytes.
IpAddress address_from_key(std::string_view bytes);

/// "10.1.2.3 . 10.1.0.0", "veth1 . 02:00:00:00:00:01", "tcp port 8080" or, of
/// sets that this version doesn't know, hexadecimal bytes.
std::string describe_key(const NftElement& element);

}  // namespace unicni::net
