#include "unicni/netfilter/iptables_firewall_removal.h"

#include <fmt/core.h>
#include <linux/netfilter.h>

#include <algorithm>
#include <functional>
#include <map>

#include "netfilter/gate/foreign_chain.h"
#include "netfilter/iptables/edit.h"
#include "netfilter/iptables/firewall_names.h"
#include "netfilter/iptables/legacy_table.h"
#include "netfilter/nft/transaction.h"
#include "netfilter/rule_sweep.h"

namespace unicni::net {
namespace {

/// Remembers what was answered, as plans start over.
class Owners {
 public:
  Owners(const std::vector<IpAddress>& addresses, const IsAnothers& is_anothers)
      : addresses_(addresses), is_anothers_(is_anothers) {}

  [[nodiscard]] const std::vector<IpAddress>& addresses() const { return addresses_; }
  bool goes(const IpAddress& address) {
    if (std::ranges::find(addresses_, address) == addresses_.end()) return false;
    const auto known = answers_.find(address.str());
    if (known != answers_.end()) return known->second;
    return answers_[address.str()] = !is_anothers_ || !is_anothers_(address);
  }

 private:
  const std::vector<IpAddress>& addresses_;
  const IsAnothers& is_anothers_;
  std::map<std::string, bool> answers_;
};

bool is_single(const std::optional<IpNet>& net) {
  return net && net->prefix_length() == net->address().bits();
}

/// The address that a rule of CNI-FORWARD accepts, from or to it.
/// Rules with both addresses, or with a prefix, are an administrator's.
std::optional<IpAddress> address_of(const NftListedRule& rule) {
  if (!rule.accepts) return std::nullopt;
  const bool by_source = is_single(rule.source) && !rule.destination;
  const bool by_destination = is_single(rule.destination) && !rule.source;
  if (!by_source && !by_destination) return std::nullopt;
  return (by_source ? rule.source : rule.destination)->address();
}

/// Takes a chain away that attachments share, with the jumps to it from FORWARD. False: foreign
/// rules jump to it, or there is none.
bool plan_shared(NftBatch& batch, const NftChainName& chain, std::size_t jumps_of_ours,
                 const std::optional<NftChainState>& state, std::size_t rules,
                 const std::vector<NftListedRule>& forward) {
  if (!state) return false;
  const NftChainName base{chain.family, chain.table, kForwardBase};
  std::size_t jumps = jumps_of_ours;
  for (const NftListedRule& rule : forward) jumps += rule.target == chain.chain ? 1 : 0;
  if (state->use != rules + jumps) return false;
  for (const NftListedRule& rule : forward) {
    if (rule.target == chain.chain) delete_rule(batch, base, rule.handle);
  }
  flush_chain(batch, chain);
  delete_chain(batch, chain);
  return true;
}

/// No address has a rule any more: the chains that all attachments share go, each only if
/// NFTA_CHAIN_USE counts nothing but its own rules and the jumps that go along.
void plan_last(NetlinkSocket& socket, NftBatch& batch, std::uint8_t family,
               const std::string& admin_chain, const std::vector<NftListedRule>& shared) {
  const auto name = [&](const std::string& chain) {
    return NftChainName{family, kFilterTable, chain};
  };
  const auto found = find_chains(socket, {name(kForwardShared), name(kIsolationStage1),
                                          name(kIsolationStage2), name(admin_chain)});
  const auto forward = list_rules(socket, name(kForwardBase));
  const bool all_gone =
      plan_shared(batch, name(kForwardShared), 0, found[0], shared.size(), forward);
  // Stage 1 jumps to stage 2, so it goes first.
  const auto stage1 = list_rules(socket, name(kIsolationStage1));
  const auto stage2 = list_rules(socket, name(kIsolationStage2));
  const auto to_stage2 = static_cast<std::size_t>(std::ranges::count_if(
      stage1, [](const NftListedRule& rule) { return rule.target == kIsolationStage2; }));
  plan_shared(batch, name(kIsolationStage1), 0, found[1], stage1.size(), forward);
  plan_shared(batch, name(kIsolationStage2), to_stage2, found[2], stage2.size(), forward);
  const auto to_admin = static_cast<std::size_t>(std::ranges::count_if(
      shared, [&](const NftListedRule& rule) { return rule.target == admin_chain; }));
  const bool admin_idle = all_gone && found[3] && found[3]->use == to_admin;
  if (admin_idle) delete_chain(batch, name(admin_chain));
}

/// Rules by address: which they are is read from the rules themselves, as no comment names anybody.
std::size_t remove_nft(NetlinkSocket& socket, std::uint8_t family, const std::string& admin_chain,
                       Owners& owners) {
  const NftChainName shared{family, kFilterTable, kForwardShared};
  std::size_t removed = 0;
  commit_as_read(socket, "remove rules from CNI-FORWARD", [&](NftBatch& batch) {
    removed = 0;
    const auto rules = list_rules(socket, shared);
    bool needed = false;
    for (const NftListedRule& rule : rules) {
      const auto address = address_of(rule);
      if (address && owners.goes(*address)) {
        delete_rule(batch, shared, rule.handle);
        ++removed;
      } else if (rule.target != admin_chain) {
        needed = true;
      }
    }
    if (removed > 0 && !needed) plan_last(socket, batch, family, admin_chain, rules);
  });
  return removed;
}

/// The lines for iptables-restore that take a shared chain away; none if foreign rules use it.
/// As plan_shared().
std::string shared_lines(const IptablesListing& listing, const std::string& chain,
                         std::size_t jumps_of_ours) {
  if (!listing.has_chain(chain)) return {};
  const std::size_t jumps = listing.count_jumps(kForwardBase, chain) + jumps_of_ours;
  if (listing.count_jumps("", chain) != jumps) return {};
  std::string lines;
  for (const IptablesRule& rule : listing.rules()) {
    if (rule.chain == kForwardBase && rule.target == chain) {
      lines += fmt::format("-D {} {}\n", rule.chain, rule.text);
    }
  }
  return lines + fmt::format("-F {0}\n-X {0}\n", chain);
}

std::string legacy_lines(const IptablesListing& listing, const std::string& admin_chain,
                         Owners& owners, std::size_t& removed) {
  removed = 0;
  std::string lines;
  bool needed = false;
  std::vector<IptablesWords> ours;
  // Rules of ours first, as saved words: goes() may read journals, so it isn't asked for each rule
  // of the chain.
  for (const IpAddress& address : owners.addresses()) {
    for (IptablesWords& words : firewall_rules_of(address)) {
      if (listing.has(kForwardShared, words) && owners.goes(address)) {
        ours.push_back(std::move(words));
      }
    }
  }
  for (const IptablesRule& rule : listing.rules()) {
    if (rule.chain != kForwardShared) continue;
    if (std::ranges::find(ours, rule.words) != ours.end()) {
      lines += fmt::format("-D {} {}\n", rule.chain, rule.text);
      ++removed;
    } else if (rule.target != admin_chain) {
      needed = true;
    }
  }
  if (removed == 0 || needed) return lines;
  const std::string last = shared_lines(listing, kForwardShared, 0);
  lines += last;
  lines += shared_lines(listing, kIsolationStage1, 0);
  lines += shared_lines(listing, kIsolationStage2,
                        listing.count_jumps(kIsolationStage1, kIsolationStage2));
  const bool admin_idle =
      !last.empty() && listing.has_chain(admin_chain) &&

      listing.count_jumps("", admin_chain) == listing.count_jumps(kForwardShared, admin_chain) &&
      std::ranges::none_of(listing.rules(),
                           [&](const IptablesRule& rule) { return rule.chain == admin_chain; });
  if (admin_idle) lines += fmt::format("-X {}\n", admin_chain);
  return lines;
}

/// A legacy table can only be changed as a whole, by iptables-legacy-restore.
std::size_t remove_legacy(NetlinkSocket& socket, Family family, const std::string& admin_chain,
                          Owners& owners, Deadline deadline) {
  if (!legacy_has_chain(family, kFilterTable, kForwardShared)) return 0;
  std::size_t removed = 0;
  edit_iptables(
      {socket, family, IptablesFlavour::legacy, kFilterTable},
      "remove rules from CNI-FORWARD of iptables-legacy", deadline, [] { return true; },
      [&](const IptablesListing& listing) {
        return legacy_lines(listing, admin_chain, owners, removed);
      });
  return removed;
}

}  // namespace

std::size_t remove_iptables_firewall(Nft& nft, const std::vector<IpAddress>& addresses,
                                     const std::string& admin_chain, const IsAnothers& is_anothers,
                                     Deadline deadline) {
  if (addresses.empty()) return 0;
  Owners owners(addresses, is_anothers);
  const auto found = find_chains(nft.socket(), {{NFPROTO_IPV4, kFilterTable, kForwardShared},
                                                {NFPROTO_IPV6, kFilterTable, kForwardShared}});
  RuleSweep sweep;
  for (const Family family : {Family::v4, Family::v6}) {
    const bool v4 = family == Family::v4;
    if (std::ranges::none_of(
            addresses, [&](const IpAddress& address) { return address.family() == family; })) {
      continue;
    }
    if (found[v4 ? 0 : 1]) {
      sweep.attempt([&] {
        return remove_nft(nft.socket(), v4 ? NFPROTO_IPV4 : NFPROTO_IPV6, admin_chain, owners);
      });
    }
    sweep.attempt(
        [&] { return remove_legacy(nft.socket(), family, admin_chain, owners, deadline); });
  }
  return sweep.finish();
}

}  // namespace unicni::net
