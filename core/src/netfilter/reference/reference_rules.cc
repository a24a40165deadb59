#include "unicni/netfilter/reference_rules.h"

#include <fmt/core.h>
#include <linux/netfilter.h>

#include <algorithm>
#include <optional>

#include "netfilter/gate/foreign_chain.h"
#include "netfilter/iptables/edit.h"
#include "netfilter/iptables/legacy_table.h"
#include "netfilter/nft/query.h"
#include "netfilter/reference/reference_name.h"
#include "netfilter/rule_sweep.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr const char* kNat = "nat";
constexpr const char* kPostrouting = "POSTROUTING";
constexpr std::size_t kLongestName = 255;  // NFT_NAME_MAXLEN with its NUL

/// Whether a jump from `source` to the container's chain is the attachment's. Old versions of the
/// reference wrote the whole subnet.
bool is_of(const ReferenceMasquerade& what, const std::optional<IpNet>& source) {
  if (what.container_is_gone) return true;
  return source && std::ranges::any_of(what.addresses, [&](const IpAddress& address) {
           return source->contains(address);
         });
}

std::size_t remove_iptables_nft(Nft& nft, std::uint8_t family, const std::string& chain,
                                const ReferenceMasquerade& what) {
  return remove_foreign_chains(nft.socket(), {family, kNat, kPostrouting, {chain}},
                               [&](const NftListedRule& rule) { return is_of(what, rule.source); });
}

/// The lines for iptables-restore; empty: nothing is to be done.
/// The rules of the chain go with the last jump, by "-F": "-X" refuses a chain that isn't empty.
std::string legacy_removal(const IptablesListing& listing, const std::string& chain,
                           const ReferenceMasquerade& what, std::size_t& jumps) {
  jumps = 0;
  if (!listing.has_chain(chain)) return {};
  std::string lines;
  bool needed = false;
  for (const IptablesRule& rule : listing.rules()) {
    if (rule.target != chain) continue;
    if (rule.chain == kPostrouting && is_of(what, rule.source)) {
      lines += fmt::format("-D {} {}\n", rule.chain, rule.text);
      ++jumps;
    } else {
      needed = true;
    }
  }
  if (!needed) lines += fmt::format("-F {0}\n-X {0}\n", chain);
  return lines;
}

std::size_t remove_iptables_legacy(Nft& nft, Family family, const std::string& chain,
                                   const ReferenceMasquerade& what, Deadline deadline) {
  if (!legacy_has_chain(family, kNat, chain)) return 0;
  std::size_t jumps = 0;
  edit_iptables(
      {nft.socket(), family, IptablesFlavour::legacy, kNat},
      fmt::format("remove chain {} of iptables-legacy's table nat", chain), deadline,
      [] { return true; },
      [&](const IptablesListing& listing) { return legacy_removal(listing, chain, what, jumps); });
  return jumps;
}

}  // namespace

// The reference takes nftables or iptables as the host has it, and a node may have seen both: all
// places are looked at, those in nftables in one round trip.
std::size_t remove_reference_masquerade(Nft& nft, const ReferenceMasquerade& what,
                                        Deadline deadline) {
  const std::string chain = reference_masquerade_chain(what.key.network, what.key.container_id);
  const NftChainName checks{NFPROTO_INET, "cni_plugins_masquerade", "masq_checks"};
  const auto found =
      find_chains(nft.socket(), {{NFPROTO_IPV4, kNat, chain}, {NFPROTO_IPV6, kNat, chain}, checks});
  RuleSweep sweep;
  if (found[0]) {
    sweep.attempt([&] { return remove_iptables_nft(nft, NFPROTO_IPV4, chain, what); });
  }
  if (found[1]) {
    sweep.attempt([&] { return remove_iptables_nft(nft, NFPROTO_IPV6, chain, what); });
  }
  if (found[2]) {
    sweep.attempt([&] {
      const std::string instance =
          reference_masquerade_instance(what.key.network, what.key.container_id, what.key.if_name);
      return remove_foreign_rules(nft.socket(), checks, [&](const NftListedRule& rule) {
        return rule.comment.starts_with(instance);
      });
    });
  }
  for (const Family family : {Family::v4, Family::v6}) {
    sweep.attempt([&] { return remove_iptables_legacy(nft, family, chain, what, deadline); });
  }
  return sweep.finish();
}

// Chain names hold container and interface whole, so they are this attachment's and nobody else's.
std::size_t remove_reference_spoof_check(Nft& nft, const std::string& container_id,
                                         const std::string& if_name) {
  const ReferenceSpoofCheck names = reference_spoof_check(container_id, if_name);
  // The kernel couldn't have taken it.
  if (names.mac_chain.size() > kLongestName) return 0;
  const ForeignChains chains{
      NFPROTO_BRIDGE, kNat, "PREROUTING", {names.interface_chain, names.mac_chain}};
  const auto found = find_chains(nft.socket(), {{chains.family, kNat, names.interface_chain},
                                                {chains.family, kNat, names.mac_chain}});
  if (!found[0] && !found[1]) return 0;
  return remove_foreign_chains(nft.socket(), chains, [](const NftListedRule&) { return true; });
}

/// A chain's "use" counts its rules and the jumps to it.
bool has_reference_spoof_check(Nft& nft, const std::string& container_id,
                               const std::string& if_name) {
  const ReferenceSpoofCheck names = reference_spoof_check(container_id, if_name);
  if (names.mac_chain.size() > kLongestName) return false;
  constexpr std::uint32_t kJumpAndRule = 2;
  const auto found = find_chains(nft.socket(), {{NFPROTO_BRIDGE, kNat, names.interface_chain},
                                                {NFPROTO_BRIDGE, kNat, names.mac_chain}});
  return std::ranges::all_of(found,
                             [](const auto& chain) { return chain && chain->use >= kJumpAndRule; });
}

}  // namespace unicni::net
