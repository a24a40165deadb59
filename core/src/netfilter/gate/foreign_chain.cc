#include "netfilter/gate/foreign_chain.h"

#include <endian.h>
#include <fmt/core.h>

#include <algorithm>

#include "net/attribute.h"
#include "netfilter/nft/transaction.h"

namespace unicni::net {

/// By handle: rules have no other name, and a position moves when others come and go.
void delete_rule(NftBatch& batch, const NftChainName& chain, std::uint64_t handle) {
  nl_msg* message = batch.add(NFT_MSG_DELRULE, 0, chain.family);
  put_text(message, NFTA_RULE_TABLE, chain.table);
  put_text(message, NFTA_RULE_CHAIN, chain.chain);
  put_u64(message, NFTA_RULE_HANDLE, htobe64(handle));
}

/// NFT_MSG_DELRULE without a handle deletes all rules of the chain.
void flush_chain(NftBatch& batch, const NftChainName& chain) {
  nl_msg* message = batch.add(NFT_MSG_DELRULE, 0, chain.family);
  put_text(message, NFTA_RULE_TABLE, chain.table);
  put_text(message, NFTA_RULE_CHAIN, chain.chain);
}

void delete_chain(NftBatch& batch, const NftChainName& chain) {
  nl_msg* message = batch.add(NFT_MSG_DELCHAIN, 0, chain.family);
  put_text(message, NFTA_CHAIN_TABLE, chain.table);
  put_text(message, NFTA_CHAIN_NAME, chain.chain);
}

/// With everything in it.
void delete_table(NftBatch& batch, std::uint8_t family, const std::string& table) {
  nl_msg* message = batch.add(NFT_MSG_DELTABLE, 0, family);
  put_text(message, NFTA_TABLE_NAME, table);
}

// Listed and deleted under one generation: a handle is a rule's for good, but the table may be made
// anew in between, and handles with it.
std::size_t remove_foreign_chains(NetlinkSocket& socket, const ForeignChains& what,
                                  const std::function<bool(const NftListedRule&)>& goes) {
  std::vector<NftChainName> names;
  for (const std::string& chain : what.chains) names.push_back({what.family, what.table, chain});
  const NftChainName base{what.family, what.table, what.base};
  std::size_t removed = 0;
  const std::string doing =
      fmt::format("remove chain {} of nftables table {}", what.chains.front(), what.table);
  commit_as_read(socket, doing, [&](NftBatch& batch) {
    removed = 0;
    std::vector<NftChainName> present;
    // Where none of the chains is there, nothing leads to them: the list of `base` is saved.
    const auto found = find_chains(socket, names);
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (found[i]) present.push_back(names[i]);
    }
    if (present.empty()) return;
    bool needed = false;
    for (const NftListedRule& rule : list_rules(socket, base)) {
      if (rule.target != what.chains.front()) continue;
      if (goes(rule)) {
        delete_rule(batch, base, rule.handle);
        ++removed;
      } else {
        needed = true;
      }
    }
    if (needed) return;
    // They refer to each other, so all rules go before the first chain.
    for (const NftChainName& chain : present) flush_chain(batch, chain);
    for (const NftChainName& chain : present) delete_chain(batch, chain);
  });
  return removed;
}

std::size_t remove_foreign_rules(NetlinkSocket& socket, const NftChainName& chain,
                                 const std::function<bool(const NftListedRule&)>& goes) {
  const std::string doing =
      fmt::format("remove rules of nftables chain {} {}", chain.table, chain.chain);
  return commit_as_read(socket, doing, [&](NftBatch& batch) {
    for (const NftListedRule& rule : list_rules(socket, chain)) {
      if (goes(rule)) delete_rule(batch, chain, rule.handle);
    }
  });
}

}  // namespace unicni::net
