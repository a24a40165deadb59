// Foreign: of tables, chains and rules in the kernel that aren't of our two tables, and of the
// programs that made them. Here an attachment's chains in a foreign nftables table, and the jumps
// to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "net/netlink_socket.h"
#include "netfilter/nft/batch.h"
#include "netfilter/nft/query.h"

namespace unicni::net {

/// The messages for it.
void delete_rule(NftBatch& batch, const NftChainName& chain, std::uint64_t handle);
void flush_chain(NftBatch& batch, const NftChainName& chain);
void delete_chain(NftBatch& batch, const NftChainName& chain);
void delete_table(NftBatch& batch, std::uint8_t family, const std::string& table);

struct ForeignChains {
  std::uint8_t family;  ///< NFPROTO_*
  std::string table;
  std::string base;                 ///< whose rules jump to the first of `chains`
  std::vector<std::string> chains;  ///< the attachment's own
};

/// Deletes the jumps from `base` that `goes` says so of, and, if none is left, the chains with all
/// their rules. One transaction; only the rules of `base` are listed, and only if a chain is there.
/// Returns how many jumps went. Throws Error.
std::size_t remove_foreign_chains(NetlinkSocket& socket, const ForeignChains& what,
                                  const std::function<bool(const NftListedRule&)>& goes);

/// Deletes the rules of one chain that `goes` says so of. Returns how many.
std::size_t remove_foreign_rules(NetlinkSocket& socket, const NftChainName& chain,
                                 const std::function<bool(const NftListedRule&)>& goes);

}  // namespace unicni::net
