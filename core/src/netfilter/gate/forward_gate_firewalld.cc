#include "netfilter/gate/forward_gate_firewalld.h"

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <functional>

#include "net/attribute.h"
#include "netfilter/gate/forward_mark.h"
#include "netfilter/nft/rule.h"
#include "netfilter/nft/transaction.h"

namespace unicni::net {
namespace {

constexpr const char* kTable = "firewalld";
constexpr const char* kForward = "filter_FORWARD";
/// NFT_TABLE_F_OWNER of linux/netfilter/nf_tables.h; since Linux 5.12.
constexpr std::uint32_t kOwnerFlag = 2;

/// Also from the time when the host's setting was another. firewalld writes no such rules itself,
/// and what others put into its table doesn't outlive a reload.
bool is_ours(const NftListedRule& rule) { return accepts_any_forward_mark(rule); }

void remove_rules(NetlinkSocket& socket, NftBatch& batch,
                  const std::function<bool(const NftListedRule&)>& goes) {
  for (const NftListedRule& rule : list_rules(socket, firewalld_forward())) {
    if (!goes(rule)) continue;
    nl_msg* message = batch.add(NFT_MSG_DELRULE, 0, NFPROTO_INET);
    put_text(message, NFTA_RULE_TABLE, kTable);
    put_text(message, NFTA_RULE_CHAIN, kForward);
    put_u64(message, NFTA_RULE_HANDLE, htobe64(rule.handle));
  }
}

/// From a table with an owner the kernel keeps every other socket (nft_table_lookup: EPERM).
bool refuses_changes(NetlinkSocket& socket) {
  const auto found = find_table_and_chains(socket, NFPROTO_INET, kTable, {});
  return found.table && (found.table->flags & kOwnerFlag) != 0;
}

}  // namespace

NftChainName firewalld_forward() { return {NFPROTO_INET, kTable, kForward}; }

bool is_firewalld_forward_open(NetlinkSocket& socket) {
  const auto rules = list_rules(socket, firewalld_forward());
  return std::any_of(rules.begin(), rules.end(), [folders = socket.folders()](const auto& rule) {
    return accepts_forward_mark(rule, folders);
  });
}

std::optional<std::string> find_firewalld_gate_fault(NetlinkSocket& socket) {
  if (is_firewalld_forward_open(socket) || refuses_changes(socket)) return std::nullopt;
  return "firewalld's chain filter_FORWARD has no accept rule of ours (a reload drops it)";
}

std::optional<std::string> open_firewalld_forward(NetlinkSocket& socket) {
  if (is_firewalld_forward_open(socket)) return std::nullopt;
  if (refuses_changes(socket)) {
    return "firewalld rejects what it wasn't told to forward, and its nftables table takes no rule "
           "of ours (NftablesTableOwner): firewall needs \"backend\": \"firewalld\"";
  }
  // Without NLM_F_APPEND a rule comes first in its chain; it must be before the reject at its end.
  commit_as_read(socket, "let attachments through firewalld's filter_FORWARD",
                 [&](NftBatch& batch) {
                   // A reload may have come in between.
                   if (!find_chains(socket, {firewalld_forward()})[0]) return;
                   if (is_firewalld_forward_open(socket)) return;
                   NftRule accept(kForward, kTable);
                   accept.mark_is(forward_mark(socket.folders()))
                       .counter()
                       .accept()
                       .comment(kForwardMarkComment);
                   accept.put(batch.add(NFT_MSG_NEWRULE, NLM_F_CREATE, NFPROTO_INET));
                   remove_rules(socket, batch, is_ours);
                 });
  return std::nullopt;
}

void plan_firewalld_removal(NetlinkSocket& socket, NftBatch& batch) {
  remove_rules(socket, batch, is_ours);
}

}  // namespace unicni::net
