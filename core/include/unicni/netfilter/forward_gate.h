// What lets our attachments' packets through a FORWARD chain that drops: iptables' filter table as
// iptables-nft and iptables-legacy have it, both families, and firewalld's table. Our own forward
// chain says by a mark what may pass; here one static rule a host accepts it. In iptables it is
// shaped as the reference's: FORWARD jumps to CNI-FORWARD, that jumps to the administrator's chain
// first. `iptables -S` lists all of it as its own.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "unicni/ip.h"
#include "unicni/netfilter/nft.h"

namespace unicni::net {

inline constexpr const char* kForwardChain = "CNI-FORWARD";
inline constexpr const char* kDefaultAdminChain = "CNI-ADMIN";

/// Makes what is missing where a filter table has a chain FORWARD, or rules in `admin_chain`; makes
/// no table. The jump in FORWARD goes first, or right behind the one to DOCKER-USER. `admin_chain`
/// is made empty, and what is in it is never touched. Where firewalld runs, its filter_FORWARD gets
/// the accept rule itself. Some ten microseconds when all is there; legacy's tables are changed by
/// one program a family, once a host. Returns what could not be opened although packets may be
/// dropped there, as a sentence to warn of. Throws Error, also if they are dropped for sure.
std::optional<std::string> ensure_forward_gate(Nft& nft, const std::string& admin_chain);

/// GC, STATUS: the same, if an attachment of ours needs it. Throws Error.
std::optional<std::string> repair_forward_gate(Nft& nft, const std::string& admin_chain);

/// What a packet doesn't meet, as a sentence; nullopt: all is there, or there is no filter table
/// and no firewalld.
std::optional<std::string> find_forward_gate_fault(Nft& nft, const std::string& admin_chain);

/// CHECK: the same, if a packet of one of `families` that doesn't meet the gate may be dropped: by
/// the policy of FORWARD, or by a rule in it or in a chain that it leads to.
std::optional<std::string> find_closed_forward(Nft& nft, const std::string& admin_chain,
                                               const std::set<Family>& families);

/// After a DEL: takes the gate away if no attachment of ours needs it any more. The reference's own
/// rules in CNI-FORWARD keep the chain, an administrator's rules their chain. Throws Error.
void remove_idle_forward_gate(Nft& nft, const std::string& admin_chain);

}  // namespace unicni::net
