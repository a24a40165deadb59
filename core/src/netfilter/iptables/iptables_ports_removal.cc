#include "unicni/netfilter/iptables_ports_removal.h"

#include <fmt/core.h>
#include <linux/netfilter.h>

#include <algorithm>
#include <map>

#include "netfilter/gate/foreign_chain.h"
#include "netfilter/iptables/edit.h"
#include "netfilter/iptables/legacy_table.h"
#include "netfilter/iptables/ports_names.h"
#include "netfilter/nft/transaction.h"
#include "netfilter/reference/reference_name.h"
#include "netfilter/rule_sweep.h"

namespace unicni::net {
namespace {

constexpr const char* kDoing = "remove published ports from table nat";

std::size_t count_to(const std::vector<NftListedRule>& rules, const std::string& chain) {
  return static_cast<std::size_t>(std::ranges::count_if(
      rules, [&](const NftListedRule& rule) { return rule.target == chain; }));
}

/// One family's table nat in nftables, as far as it was asked for.
class NatTable {
 public:
  NatTable(NetlinkSocket& socket, NftBatch& batch, std::uint8_t family)
      : socket_(socket), batch_(batch), family_(family) {}

  [[nodiscard]] NftChainName name(const std::string& chain) const {
    return {family_, kNatTable, chain};
  }
  // Each chain is listed once in a plan: the plan is made under one generation of the ruleset, so
  // it can't change meanwhile.
  const std::vector<NftListedRule>& rules(const std::string& chain) {
    const auto known = rules_.find(chain);
    if (known != rules_.end()) return known->second;
    return rules_[chain] = list_rules(socket_, name(chain));
  }
  [[nodiscard]] std::optional<NftChainState> state(const std::string& chain) const {
    return find_chains(socket_, {name(chain)})[0];
  }
  void remove_jumps(const std::string& base, const std::string& target) {
    for (const NftListedRule& rule : rules(base)) {
      if (rule.target == target) delete_rule(batch_, name(base), rule.handle);
    }
  }
  /// `used`: foreign rules jump to it, so it is only emptied.
  void remove_chain(const std::string& chain, bool used = false) {
    flush_chain(batch_, name(chain));
    if (!used) delete_chain(batch_, name(chain));
  }

 private:
  NetlinkSocket& socket_;
  NftBatch& batch_;
  std::uint8_t family_;
  std::map<std::string, std::vector<NftListedRule>> rules_;
};

/// Nobody publishes a port any more. `own`: the attachment's chain, which goes.
void plan_last(NatTable& table, const std::string& own) {
  std::size_t jumps = 0;
  for (const char* base : kDnatBases) jumps += count_to(table.rules(base), kPortsDnat);
  const auto dnat = table.state(kPortsDnat);
  if (!dnat || dnat->use != table.rules(kPortsDnat).size() + jumps)
    return;  // foreign rules jump to it
  for (const char* base : kDnatBases) table.remove_jumps(base, kPortsDnat);
  table.remove_chain(kPortsDnat);

  // Chains without an entry may be left that mark: then marks are still needed.
  const auto mark = table.state(kPortsSetMark);
  const std::size_t marking = count_to(table.rules(own), kPortsSetMark);
  if (mark && mark->use != table.rules(kPortsSetMark).size() + marking) return;
  if (mark) table.remove_chain(kPortsSetMark);
  const auto masquerade = table.state(kPortsMasquerade);
  const std::size_t masquerading = count_to(table.rules(kPostroutingBase), kPortsMasquerade);
  if (!masquerade || masquerade->use != table.rules(kPortsMasquerade).size() + masquerading) return;
  table.remove_jumps(kPostroutingBase, kPortsMasquerade);
  table.remove_chain(kPortsMasquerade);
}

/// Jumps before the chain they lead to, the attachment's chain before those that attachments share:
/// the kernel refuses to delete a chain that something leads to (EBUSY), and with it the whole
/// batch.
std::size_t remove_nft(NetlinkSocket& socket, std::uint8_t family, const std::string& chain) {
  std::size_t removed = 0;
  commit_as_read(socket, kDoing, [&](NftBatch& batch) {
    removed = 0;
    NatTable table(socket, batch, family);
    const auto state = table.state(chain);
    if (!state) return;
    removed = count_to(table.rules(kPortsDnat), chain);
    // Counted before the jumps go, as rules() lists each chain once.
    const bool last = removed == table.rules(kPortsDnat).size();
    table.remove_jumps(kPortsDnat, chain);
    table.remove_chain(chain, state->use != table.rules(chain).size() + removed);
    if (last) plan_last(table, chain);
  });
  return removed;
}

/// The lines for iptables-restore that take the jumps from `bases` and the chain itself away. One
/// that foreign rules jump to is only emptied. `emptied`: a chain whose rules went before.
std::string lines_against(const IptablesListing& listing, const std::vector<std::string>& bases,
                          const std::string& chain, const std::string& emptied = {}) {
  std::string lines;
  std::size_t own = listing.count_jumps(chain, chain);
  if (!emptied.empty()) own += listing.count_jumps(emptied, chain);
  for (const IptablesRule& rule : listing.rules()) {
    if (rule.target != chain || std::ranges::find(bases, rule.chain) == bases.end()) continue;
    lines += fmt::format("-D {} {}\n", rule.chain, rule.text);
    ++own;
  }
  if (listing.has_chain(chain)) lines += fmt::format("-F {}\n", chain);
  const bool idle = listing.count_jumps("", chain) == own;
  if (listing.has_chain(chain) && idle) lines += fmt::format("-X {}\n", chain);
  return lines;
}

/// The same order as plan_last(), with jumps counted in the listing, as legacy has no count of
/// uses.
std::string last_lines(const IptablesListing& listing, const std::string& own) {
  const auto jumps = [&](const char* chain, std::initializer_list<std::string_view> from) {
    std::size_t count = 0;
    for (const std::string_view base : from) count += listing.count_jumps(base, chain);
    return count;
  };
  if (listing.count_jumps("", kPortsDnat) != jumps(kPortsDnat, {kDnatBases[0], kDnatBases[1]})) {
    return {};
  }
  std::string lines = lines_against(listing, {kDnatBases[0], kDnatBases[1]}, kPortsDnat);
  if (listing.count_jumps("", kPortsSetMark) != jumps(kPortsSetMark, {own})) return lines;
  lines += lines_against(listing, {}, kPortsSetMark, own);
  if (listing.count_jumps("", kPortsMasquerade) == jumps(kPortsMasquerade, {kPostroutingBase})) {
    lines += lines_against(listing, {kPostroutingBase}, kPortsMasquerade);
  }
  return lines;
}

std::size_t remove_legacy(NetlinkSocket& socket, Family family, const std::string& chain,
                          const std::string& old_chain, Deadline deadline) {
  const bool is_there = legacy_has_chain(family, kNatTable, chain) ||
                        (!old_chain.empty() && legacy_has_chain(family, kNatTable, old_chain));
  if (!is_there) {
    return 0;
  }
  std::size_t removed = 0;
  edit_iptables(
      {socket, family, IptablesFlavour::legacy, kNatTable}, kDoing, deadline, [] { return true; },
      [&](const IptablesListing& listing) {
        removed = listing.count_jumps(kPortsDnat, chain);
        std::string lines = lines_against(listing, {kOldPortsSnat}, old_chain);
        if (!listing.has_chain(chain)) return lines;
        lines += lines_against(listing, {kPortsDnat}, chain);
        const auto is_others = [&](const IptablesRule& rule) {
          return rule.chain == kPortsDnat && rule.target != chain;
        };
        if (std::ranges::none_of(listing.rules(), is_others)) {
          lines += last_lines(listing, chain);
        }
        return lines;
      });
  return removed;
}

}  // namespace

/// iptables-nft and legacy may both have the chain, where the host changed from one to the other.
void remove_iptables_ports_chain(Nft& nft, Family family, const std::string& chain,
                                 Deadline deadline) {
  NetlinkSocket& socket = nft.socket();
  const std::uint8_t number = family == Family::v4 ? NFPROTO_IPV4 : NFPROTO_IPV6;
  if (find_chains(socket, {{number, kNatTable, chain}})[0]) remove_nft(socket, number, chain);
  remove_legacy(socket, family, chain, {}, deadline);
}

/// Older versions of the reference had chains for source NAT as well ("SN").
std::size_t remove_iptables_ports(Nft& nft, const std::string& network,
                                  const std::vector<std::string>& owners, Deadline deadline,
                                  const std::function<bool(const std::string& owner)>& goes) {
  constexpr std::uint8_t kFamilies[] = {NFPROTO_IPV4, NFPROTO_IPV6};
  constexpr std::size_t kChainsOfOwner = 4;
  std::vector<NftChainName> names;
  for (const std::string& owner : owners) {
    for (const std::string& chain :
         {reference_dnat_chain(network, owner), reference_snat_chain(network, owner)}) {
      for (const std::uint8_t family : kFamilies) names.push_back({family, kNatTable, chain});
    }
  }
  // All names of all owners in one round trip: nearly always there is none.
  const auto found = find_chains(nft.socket(), names);
  RuleSweep sweep;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    const NftChainName* of_owner = &names[i * kChainsOfOwner];  // DN, DN, SN, SN
    const std::string& chain = of_owner[0].chain;
    const std::string& old_chain = of_owner[2].chain;
    const auto in_nft = [&](std::size_t k) { return found[i * kChainsOfOwner + k].has_value(); };
    const auto in_legacy = [&](Family family) {
      return legacy_has_chain(family, kNatTable, chain) ||
             legacy_has_chain(family, kNatTable, old_chain);
    };
    const bool any = in_nft(0) || in_nft(1) || in_nft(2) || in_nft(3) || in_legacy(Family::v4) ||
                     in_legacy(Family::v6);
    if (!any || (goes && !goes(owners[i]))) continue;
    for (std::size_t k = 0; k < 2; ++k) {
      if (in_nft(k)) sweep.attempt([&] { return remove_nft(nft.socket(), kFamilies[k], chain); });
      if (in_nft(k + 2)) {
        sweep.attempt([&] {
          return remove_foreign_chains(nft.socket(),
                                       {kFamilies[k], kNatTable, kOldPortsSnat, {old_chain}},
                                       [](const NftListedRule&) { return true; });
        });
      }
    }
    for (const Family family : {Family::v4, Family::v6}) {
      sweep.attempt(
          [&] { return remove_legacy(nft.socket(), family, chain, old_chain, deadline); });
    }
  }
  return sweep.finish();
}

}  // namespace unicni::net
