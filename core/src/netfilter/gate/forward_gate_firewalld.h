// The gate where firewalld runs with nftables: our accept rule at the top of its
// `inet firewalld filter_FORWARD`, which ends with a reject. firewalld drops the rule with its
// table when it reloads. forward_gate.cc calls all of this.
#pragma once

#include <optional>
#include <string>

#include "net/netlink_socket.h"
#include "netfilter/nft/batch.h"
#include "netfilter/nft/query.h"

namespace unicni::net {

/// The chain to ask for, with find_chains() among others: nothing is wrong where it isn't.
NftChainName firewalld_forward();

/// Whether our rule is there.
bool is_firewalld_forward_open(NetlinkSocket& socket);

/// What a packet doesn't meet there, as a sentence. Nothing is said of a table that refuses
/// changes, see open_firewalld_forward().
std::optional<std::string> find_firewalld_gate_fault(NetlinkSocket& socket);

/// Puts the rule there if it is missing. Returns why that can't be, as a sentence: from firewalld
/// 2.1 on the table may have an owner, and the kernel refuses changes by anybody else. Throws
/// Error.
std::optional<std::string> open_firewalld_forward(NetlinkSocket& socket);

/// Takes the rule out, with the batch. Nothing where there is none.
void plan_firewalld_removal(NetlinkSocket& socket, NftBatch& batch);

}  // namespace unicni::net
