#include "unicni/netfilter/forward_gate.h"

#include <endian.h>
#include <fmt/core.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "net/attribute.h"
#include "net/netlink_socket.h"
#include "netfilter/gate/forward_gate_firewalld.h"
#include "netfilter/gate/forward_gate_legacy.h"
#include "netfilter/gate/forward_mark.h"
#include "netfilter/nft/element.h"
#include "netfilter/nft/part.h"
#include "netfilter/nft/query.h"
#include "netfilter/nft/rule.h"
#include "netfilter/nft/transaction.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr const char* kTable = "filter";
constexpr const char* kForward = "FORWARD";
constexpr const char* kDockerUser = "DOCKER-USER";
constexpr std::uint32_t kFilterPriority = 0;  // NF_IP_PRI_FILTER and NF_IP6_PRI_FILTER
constexpr std::uint8_t kFamilies[] = {NFPROTO_IPV4, NFPROTO_IPV6};

Family ip_family(std::uint8_t family) { return family == NFPROTO_IPV4 ? Family::v4 : Family::v6; }

const char* program(std::uint8_t family) {
  return family == NFPROTO_IPV4 ? "iptables" : "ip6tables";
}

/// What one family has.
struct Gate {
  bool wanted = false;  ///< there is a FORWARD chain, or an administrator's chain with rules
  bool has_forward = false;
  bool whole = false;
  std::optional<NftChainState> chain;
  std::optional<NftChainState> admin;
  std::vector<NftListedRule> rules;  ///< of the chain
  std::uint32_t admin_jumps = 0;     ///< of them, to the administrator's chain
  bool firewalld = false;  ///< it has a chain of its own; asked with IPv4, in the same round trip

  /// No rule is in the administrator's chain, and no jump leads to it but ours: "use" counts both.
  [[nodiscard]] bool is_admin_idle() const { return admin->use == admin_jumps; }
};

/// Whether a rule accepts our mark.
auto accept_test(const NetlinkSocket& socket) {
  return [folders = socket.folders()](const NftListedRule& rule) {
    return accepts_forward_mark(rule, folders);
  };
}

bool jumps_to(const NftListedRule& rule, const std::string& chain) { return rule.target == chain; }

/// FORWARD of `ip filter` or `ip6 filter`, which iptables-nft makes; one without a hook drops
/// nothing. Where there is none yet, rules in the administrator's chain ask for it: they count with
/// the reference, which makes it. One round trip for the chains, one more for the rules of ours.
Gate look(NetlinkSocket& socket, std::uint8_t family, const std::string& admin_chain) {
  std::vector<NftChainName> names = {
      {family, kTable, kForward}, {family, kTable, kForwardChain}, {family, kTable, admin_chain}};
  if (family == NFPROTO_IPV4) names.push_back(firewalld_forward());
  const auto found = find_chains(socket, names);
  Gate gate;
  if (family == NFPROTO_IPV4) gate.firewalld = found[3].has_value();
  gate.has_forward = found[0].has_value();
  gate.chain = found[1];
  gate.admin = found[2];
  if (gate.chain) gate.rules = list_rules(socket, {family, kTable, kForwardChain});
  gate.admin_jumps = static_cast<std::uint32_t>(std::ranges::count_if(
      gate.rules, [&](const auto& rule) { return jumps_to(rule, admin_chain); }));
  gate.wanted = gate.has_forward ? found[0]->hooked : gate.admin && !gate.is_admin_idle();
  // What uses the chain beyond its own rules are jumps to it. FORWARD itself isn't listed: others
  // may have thousands of rules there.
  gate.whole = gate.wanted && gate.admin && gate.chain && gate.chain->use > gate.rules.size() &&
               gate.admin_jumps > 0 && std::ranges::any_of(gate.rules, accept_test(socket));
  return gate;
}

class Change {
 public:
  Change(NftBatch& batch, std::uint8_t family) : batch_(batch), family_(family) {}

  nl_msg* make_chain(const std::string& name) {
    nl_msg* message = batch_.add(NFT_MSG_NEWCHAIN, NLM_F_CREATE, family_);
    put_text(message, NFTA_CHAIN_TABLE, kTable);
    put_text(message, NFTA_CHAIN_NAME, name);
    return message;
  }
  /// As iptables makes it with its first rule.
  void make_forward() {
    nl_msg* message = make_chain(kForward);
    put_u32(message, NFTA_CHAIN_POLICY, htobe32(NF_ACCEPT));
    put_text(message, NFTA_CHAIN_TYPE, "filter");
    const Nest hook(message, NFTA_CHAIN_HOOK);
    put_u32(message, NFTA_HOOK_HOOKNUM, htobe32(NF_INET_FORWARD));
    put_u32(message, NFTA_HOOK_PRIORITY, htobe32(kFilterPriority));
  }
  void remove_chain(const std::string& name) {
    nl_msg* message = batch_.add(NFT_MSG_DELCHAIN, 0, family_);
    put_text(message, NFTA_CHAIN_TABLE, kTable);
    put_text(message, NFTA_CHAIN_NAME, name);
  }
  /// First in its chain, or behind the rule with that handle.
  void insert(const NftRule& rule, std::uint64_t behind = 0) {
    const auto flags = static_cast<std::uint16_t>(NLM_F_CREATE | (behind != 0 ? NLM_F_APPEND : 0));
    nl_msg* message = batch_.add(NFT_MSG_NEWRULE, flags, family_);
    rule.put(message);
    if (behind != 0) put_u64(message, NFTA_RULE_POSITION, htobe64(behind));
  }
  void remove_rule(const char* chain, std::uint64_t handle) {
    nl_msg* message = batch_.add(NFT_MSG_DELRULE, 0, family_);
    put_text(message, NFTA_RULE_TABLE, kTable);
    put_text(message, NFTA_RULE_CHAIN, chain);
    put_u64(message, NFTA_RULE_HANDLE, htobe64(handle));
  }

 private:
  NftBatch& batch_;
  std::uint8_t family_;
};

NftRule jump_rule(const char* from, const std::string& to) {
  NftRule rule(from, kTable);
  rule.counter().jump(to);
  return rule;
}

/// FORWARD → CNI-FORWARD → the administrator's chain, then accept by mark: the reference's shape,
/// so that its own firewall plugin, and rules for CNI-ADMIN, go on working beside us.
void plan_gate(NetlinkSocket& socket, NftBatch& batch, std::uint8_t family,
               const std::string& admin_chain) {
  const Gate gate = look(socket, family, admin_chain);
  if (!gate.wanted || gate.whole) return;
  Change change(batch, family);
  if (!gate.has_forward) change.make_forward();
  if (!gate.admin) change.make_chain(admin_chain);
  if (!gate.chain) change.make_chain(kForwardChain);
  const auto& inner = gate.rules;
  const auto is_admin = [&](const auto& rule) { return jumps_to(rule, admin_chain); };
  const auto admin = std::find_if(inner.begin(), inner.end(), is_admin);
  const auto is_accept = accept_test(socket);
  const bool accepts = std::any_of(inner.begin(), inner.end(), is_accept);
  NftRule accept(kForwardChain, kTable);
  accept.mark_is(forward_mark(socket.folders())).counter().accept().comment(kForwardMarkComment);
  // Inserted, so the last one comes first.
  if (!accepts && admin != inner.end()) change.insert(accept, admin->handle);
  if (!accepts && admin == inner.end()) change.insert(accept);
  if (admin == inner.end()) change.insert(jump_rule(kForwardChain, admin_chain));
  for (const NftListedRule& rule : inner) {
    // Ours from the time when the host's setting was another.
    const bool is_stale = accepts_any_forward_mark(rule) && !is_accept(rule);
    if (is_stale) change.remove_rule(kForwardChain, rule.handle);
  }

  const auto outer = list_rules(socket, {family, kTable, kForward});
  const auto leads_here = [](const auto& rule) { return jumps_to(rule, kForwardChain); };
  if (std::any_of(outer.begin(), outer.end(), leads_here)) return;
  // Behind Docker's jump to DOCKER-USER, which Docker keeps at the top for its user's own rules.
  const auto docker = std::find_if(outer.begin(), outer.end(),
                                   [](const auto& rule) { return jumps_to(rule, kDockerUser); });
  change.insert(jump_rule(kForward, kForwardChain), docker == outer.end() ? 0 : docker->handle);
}

/// Whether anybody needs the gate: a set of an attachment's in that part has an element. Dumps that
/// are left after their first answers are as cheap for 20,000 elements as for one.
bool is_needed(NetlinkSocket& socket) {
  return std::ranges::any_of(kNftForward.sets, [&](NftSetKind kind) {
    return std::ranges::any_of(nft_sets(kind), [&](const NftSetRow& set) {
      return set.owner == NftSetOwner::attachment &&
             has_any_element(socket.spare(), set.table, set.name.c_str());
    });
  });
}

/// Takes away what is ours alone. Others that use CNI-FORWARD, the reference or an administrator,
/// show in its rules, or in NFTA_CHAIN_USE as jumps that aren't FORWARD's.
void plan_removal(NetlinkSocket& socket, NftBatch& batch, std::uint8_t family,
                  const std::string& admin_chain) {
  const Gate gate = look(socket, family, admin_chain);
  if (!gate.chain) return;
  Change change(batch, family);
  const auto& inner = gate.rules;
  // Jumps to chains without rules: those of administrators that other attachments had named.
  std::vector<std::string> idle;
  for (const NftListedRule& rule : inner) {
    if (rule.target.empty() || rule.target == admin_chain) continue;
    const auto found = find_chains(socket, {{family, kTable, rule.target}});
    if (found[0] && found[0]->use <= 1) idle.push_back(rule.target);
  }
  const auto is_ours = [&](const NftListedRule& rule) {
    return accepts_any_forward_mark(rule) || jumps_to(rule, admin_chain) ||
           std::find(idle.begin(), idle.end(), rule.target) != idle.end();
  };
  const auto outer = list_rules(socket, {family, kTable, kForward});
  const auto leads_here = [](const NftListedRule& rule) { return jumps_to(rule, kForwardChain); };
  const auto from_forward = std::count_if(outer.begin(), outer.end(), leads_here);
  const bool foreign = std::any_of(inner.begin(), inner.end(), std::not_fn(is_ours)) ||
                       gate.chain->use != inner.size() + static_cast<std::size_t>(from_forward);
  for (const NftListedRule& rule : inner) {
    if (foreign ? accepts_any_forward_mark(rule) : is_ours(rule))
      change.remove_rule(kForwardChain, rule.handle);
  }
  if (foreign) return;
  for (const NftListedRule& rule : outer) {
    if (leads_here(rule)) change.remove_rule(kForward, rule.handle);
  }
  change.remove_chain(kForwardChain);
  if (gate.admin && gate.is_admin_idle()) change.remove_chain(admin_chain);
  for (const std::string& chain : idle) change.remove_chain(chain);
}

/// Whether a packet may end in that chain, or in one that it leads to. Many chains are not read to
/// the end: among so many one will drop.
bool may_drop(NetlinkSocket& socket, const NftChainName& name, std::set<std::string>& seen) {
  constexpr std::size_t kManyChains = 64;
  if (!seen.insert(name.chain).second) return false;
  if (seen.size() > kManyChains) return true;
  const auto chain = find_chains(socket, {name}).front();
  if (!chain) return false;
  if (chain->drops) return true;
  const auto rules = list_rules(socket, name);
  return std::ranges::any_of(rules, [&](const NftListedRule& rule) {
    if (rule.may_drop) return true;
    return !rule.target.empty() && may_drop(socket, {name.family, name.table, rule.target}, seen);
  });
}

/// What the gate is missing in nftables. firewalld's own chain is only looked for.
struct NftFault {
  std::optional<std::string> text;
  bool firewalld = false;
};

NftFault find_nft_fault(NetlinkSocket& socket, const std::string& admin_chain,
                        const GateNeed& need = {}) {
  NftFault fault;
  for (const std::uint8_t family : kFamilies) {
    const Gate gate = look(socket, family, admin_chain);
    fault.firewalld = fault.firewalld || gate.firewalld;
    if (!gate.wanted || gate.whole || fault.text) continue;
    if (!need.families.contains(ip_family(family))) continue;
    std::set<std::string> seen;
    if (need.where == GateNeed::Where::always ||
        may_drop(socket, {family, kTable, kForward}, seen)) {
      fault.text = fmt::format("{}'s chain FORWARD doesn't lead to our accept rule in {}",
                               program(family), kForwardChain);
    }
  }
  return fault;
}

// Asked first without a batch: nearly always all is there.
std::optional<std::string> ensure_nft_gate(NetlinkSocket& socket, const std::string& admin_chain) {
  const NftFault fault = find_nft_fault(socket, admin_chain);
  if (fault.text) {
    commit_as_read(socket, "let attachments through the chain FORWARD", [&](NftBatch& batch) {
      for (const std::uint8_t family : kFamilies) plan_gate(socket, batch, family, admin_chain);
    });
  }
  return fault.firewalld ? open_firewalld_forward(socket) : std::nullopt;
}

bool has_nft_gate(NetlinkSocket& socket) {
  const auto chains = find_chains(socket, {{NFPROTO_IPV4, kTable, kForwardChain},
                                           {NFPROTO_IPV6, kTable, kForwardChain},
                                           firewalld_forward()});
  return chains[0] || chains[1] || (chains[2] && is_firewalld_forward_open(socket));
}

void remove_nft_gate(NetlinkSocket& socket, const std::string& admin_chain) {
  commit_as_read(socket, "remove our rules from the chain FORWARD", [&](NftBatch& batch) {
    // Asked under the batch's generation: an ADD that comes between makes it start over.
    if (is_needed(socket)) return;
    for (const std::uint8_t family : kFamilies) plan_removal(socket, batch, family, admin_chain);
    plan_firewalld_removal(socket, batch);
  });
}

}  // namespace

// Both kinds of tables: a packet meets the hooks of nftables and of iptables-legacy alike, and a
// drop in either is final.
std::optional<std::string> ensure_forward_gate(Nft& nft, const std::string& admin_chain) {
  const auto closed = ensure_nft_gate(nft.socket(), admin_chain);
  auto legacy = ensure_legacy_gate(admin_chain, nft.socket().services());
  return closed ? closed : legacy;
}

// A gate that nobody needs any more isn't made again.
std::optional<std::string> repair_forward_gate(Nft& nft, const std::string& admin_chain) {
  if (!find_forward_gate_fault(nft, admin_chain) || !is_needed(nft.socket())) {
    return std::nullopt;
  }
  const auto closed = ensure_nft_gate(nft.socket(), admin_chain);
  auto legacy = repair_legacy_gate(admin_chain, nft.socket().services());
  return closed ? closed : legacy;
}

namespace {

std::optional<std::string> find_fault(Nft& nft, const std::string& admin_chain,
                                      const GateNeed& need) {
  NftFault fault = find_nft_fault(nft.socket(), admin_chain, need);
  if (!fault.text && fault.firewalld) fault.text = find_firewalld_gate_fault(nft.socket());
  return fault.text ? std::move(fault.text)
                    : find_legacy_gate_fault(admin_chain, need, nft.socket().folders());
}

}  // namespace

std::optional<std::string> find_forward_gate_fault(Nft& nft, const std::string& admin_chain) {
  return find_fault(nft, admin_chain, {});
}

std::optional<std::string> find_closed_forward(Nft& nft, const std::string& admin_chain,
                                               const std::set<Family>& families) {
  return find_fault(nft, admin_chain, {GateNeed::Where::may_drop, families});
}

void remove_idle_forward_gate(Nft& nft, const std::string& admin_chain) {
  NetlinkSocket& socket = nft.socket();
  const bool in_nft = has_nft_gate(socket);
  const bool in_legacy = may_have_legacy_gate();
  if ((!in_nft && !in_legacy) || is_needed(socket)) return;
  if (in_nft) remove_nft_gate(socket, admin_chain);
  // Legacy has no generations: an ADD may have looked before and come between.
  if (in_legacy && remove_legacy_gate(admin_chain, socket.services()) && is_needed(socket))
    repair_legacy_gate(admin_chain, nft.socket().services());
}

}  // namespace unicni::net
