// Chains of conditions: their text goes through nft's own parser, libnftables, which is loaded only
// where there are conditions.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "net/netlink_socket.h"
#include "netfilter/nft/batch.h"
#include "unicni/netfilter/condition.h"
#include "unicni/netfilter/element.h"

namespace unicni::net {

/// Makes the chains or gives them their text anew, all in one transaction. The part of the base
/// that they go on to is there. Throws Error.
void write_conditions(const std::vector<NftCondition>& conditions);

/// What is wrong with the chain that an element leads to, or with the one that a condition goes on
/// to; nullopt: nothing.
std::optional<std::string> find_goto_fault(NetlinkSocket& socket, const NftElement& element);

/// Whether nothing but its own rules and `elements` elements keep the chain, which is there.
bool is_condition_idle(NetlinkSocket& socket, const std::string& chain, std::size_t elements);

/// Deletes the chain, which nothing leads to any more by then, and its rules.
void put_condition_removal(NftBatch& batch, const std::string& chain);

}  // namespace unicni::net
