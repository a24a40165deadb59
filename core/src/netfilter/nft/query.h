// Questions about tables, chains and rules by name, anybody's; never a list of the ruleset.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/message_buffer.h"
#include "net/netlink_socket.h"
#include "unicni/ip.h"

namespace unicni::net {

/// A name that no chain could have, such as one of 300 bytes, is that of no chain.
struct NftChainName {
  std::uint8_t family;  ///< NFPROTO_*
  std::string table;
  std::string chain;
};

struct NftChainState {
  bool hooked = false;  ///< packets come to it by themselves
  std::uint32_t hook = 0;
  std::int32_t priority = 0;
  std::uint32_t use = 0;  ///< rules in it and jumps to it
  bool drops = false;     ///< its policy
};

struct NftTableState {
  bool dormant = false;
  std::uint32_t flags = 0;  ///< NFT_TABLE_F_*
  std::string comment;
};

/// Sends all requests at once; `each` gets the answer to request `index`, in any order. Returns the
/// kernel's errno for each of them, 0 where it answered.
std::vector<int> ask_together(NetlinkSocket& socket, MessageBuffer& requests,
                              const std::function<void(std::size_t, const nlmsghdr*)>& each);

/// A table, chains and sets of it in one round trip. nullopt: there is none.
struct NftFound {
  std::optional<NftTableState> table;
  std::vector<std::optional<NftChainState>> chains;  ///< in the order of the question
  std::vector<bool> sets;                            ///< likewise
};
NftFound find_table_and_chains(NetlinkSocket& socket, std::uint8_t family, const std::string& table,
                               const std::vector<NftChainName>& chains,
                               const std::vector<std::string>& sets = {});
/// The sets and maps of a table; empty: there is no such table.
std::vector<std::string> list_set_names(NetlinkSocket& socket, std::uint8_t family,
                                        const std::string& table);
/// Chains of any tables.
std::vector<std::optional<NftChainState>> find_chains(NetlinkSocket& socket,
                                                      const std::vector<NftChainName>& chains);

/// What we need to know of a foreign rule.
struct NftListedRule {
  std::uint64_t handle = 0;
  std::string comment;          ///< nft's own (in the userdata), not that of `-m comment`
  std::string target;           ///< of a jump or goto; else empty
  std::optional<IpNet> source;  ///< "ip saddr" or "ip6 saddr", as nft and iptables-nft write it
  std::optional<IpNet> destination;        ///< "ip daddr" or "ip6 daddr"
  std::optional<std::uint8_t> protocol;    ///< "meta l4proto", which "tcp dport" has as well
  std::optional<std::uint16_t> port;       ///< "dport"
  std::optional<IpAddress> dnat_to;        ///< the address of "dnat to"
  std::optional<std::uint16_t> dnat_port;  ///< its port
  std::uint32_t mark = 0;  ///< the bits that "meta mark & bits == bits" asks for; 0: it doesn't
  bool accepts = false;    ///< its verdict is accept
  bool may_drop =
      false;  ///< its verdict is drop, reject or queue, or a target of iptables unknown here
  std::vector<std::uint16_t> ports;  ///< of iptables' `-m multiport`
};
/// The rules of one chain, in order; empty if there is no such chain.
std::vector<NftListedRule> list_rules(NetlinkSocket& socket, const NftChainName& chain);

/// User data of nft(8) is a row of {type, length, bytes}: the text of the first of that type.
std::string nft_comment_of(const nlattr* userdata, std::uint8_t type);

}  // namespace unicni::net
