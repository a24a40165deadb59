#include "unicni/netfilter/iptables_masquerade.h"

#include <fmt/core.h>
#include <linux/netfilter.h>

#include <algorithm>

#include "netfilter/iptables/edit.h"
#include "netfilter/iptables/legacy_table.h"
#include "netfilter/nft/query.h"
#include "netfilter/nft/transaction.h"
#include "netfilter/reference/reference_name.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr const char* kNat = "nat";
constexpr const char* kPostrouting = "POSTROUTING";
constexpr std::size_t kRulesInChain = 2;
constexpr std::size_t kCommentLimit = 255;  // XT_MAX_COMMENT_LEN with its NUL

/// The part of a masquerade that is in one family's table.
struct MasqueradePart {
  Family family;
  std::uint8_t nfproto;
  IpNet multicast;
  std::string chain;
  std::string comment;
  std::vector<IpNet> addresses;
};

MasqueradePart part_of(const IptablesMasquerade& what, Family family) {
  const bool v4 = family == Family::v4;
  MasqueradePart part{family,
                      static_cast<std::uint8_t>(v4 ? NFPROTO_IPV4 : NFPROTO_IPV6),
                      IpNet::parse(v4 ? "224.0.0.0/4" : "ff00::/8").value(),
                      reference_masquerade_chain(what.key.network, what.key.container_id),
                      reference_masquerade_comment(what.key.network, what.key.container_id)
                          .substr(0, kCommentLimit),
                      {}};
  for (const IpNet& address : what.addresses) {
    const bool known = std::ranges::find(part.addresses, address) != part.addresses.end();
    if (address.family() == family && !known) part.addresses.push_back(address);
  }
  return part;
}

IpNet single(const IpNet& address) { return {address.address(), address.address().bits()}; }

bool has_rule(const IptablesListing& listing, const std::string& chain, const auto& matches) {
  return std::ranges::any_of(listing.rules(), [&](const IptablesRule& rule) {
    return rule.chain == chain && matches(rule);
  });
}

bool accepts_subnet(const IptablesRule& rule, const IpNet& address) {
  return rule.target == "ACCEPT" && rule.destination == address.masked();
}

/// Multicast is left out, as by the reference.
bool masquerades(const IptablesRule& rule, const MasqueradePart& part) {
  return rule.target == "MASQUERADE" && rule.not_destination == part.multicast;
}

/// By the container's own address, which no other attachment has.
bool jumps(const IptablesRule& rule, const MasqueradePart& part, const IpNet& address) {
  return rule.target == part.chain && rule.source == single(address);
}

/// The lines for iptables-restore that add what `listing` lacks; in the reference's order.
std::string missing_lines(const MasqueradePart& part, const IptablesListing& listing) {
  std::string lines;
  const auto append = [&](const std::string& chain, IptablesWords words, const char* target) {
    words.insert(words.end(), {"-m", "comment", "--comment", part.comment, "-j", target});
    lines += iptables_line("-A", chain, words);
  };
  // "-N", not ":chain", which would flush one that another attachment just made.
  if (!listing.has_chain(part.chain)) lines += iptables_line("-N", part.chain, {});
  bool masqueraded = has_rule(listing, part.chain,
                              [&](const IptablesRule& rule) { return masquerades(rule, part); });
  std::vector<IpNet> accepted;
  for (const IpNet& address : part.addresses) {
    const IpNet subnet = address.masked();
    const bool known = std::ranges::find(accepted, subnet) != accepted.end() ||
                       has_rule(listing, part.chain, [&](const IptablesRule& rule) {
                         return accepts_subnet(rule, address);
                       });
    if (!known) append(part.chain, {"-d", subnet.str()}, "ACCEPT");
    accepted.push_back(subnet);
    if (!masqueraded) append(part.chain, {"!", "-d", part.multicast.str()}, "MASQUERADE");
    masqueraded = true;
    if (!has_rule(listing, kPostrouting,
                  [&](const IptablesRule& rule) { return jumps(rule, part, address); })) {
      append(kPostrouting, {"-s", single(address).str()}, part.chain.c_str());
    }
  }
  return lines;
}

/// What is missing can be told only by saving the table, which is a process; without a chain of
/// that name, in nftables or legacy, all is.
void add_part(Nft& nft, const MasqueradePart& part, Deadline deadline) {
  edit_iptables(
      {nft.socket(), part.family, IptablesFlavour::host, kNat},
      fmt::format("add chain {} to iptables' table nat", part.chain), deadline,
      [&] {
        const auto found = find_chains(nft.socket(), {{part.nfproto, kNat, part.chain}});
        return found[0] || legacy_has_chain(part.family, kNat, part.chain);
      },
      [&](const IptablesListing& listing) { return missing_lines(part, listing); });
}

bool has_nft_part(Nft& nft, const MasqueradePart& part) {
  const auto found = find_chains(nft.socket(), {{part.nfproto, kNat, part.chain}});
  if (!found[0]) return false;
  // "use" is the chain's rules and the jumps to it: so its own two are counted without a list.
  std::size_t jumps_to_it = 0;
  std::vector<IpNet> sources;
  for (const NftListedRule& rule : list_rules(nft.socket(), {part.nfproto, kNat, kPostrouting})) {
    if (rule.target != part.chain) continue;
    ++jumps_to_it;
    if (rule.source) sources.push_back(*rule.source);
  }
  return found[0]->use >= jumps_to_it + kRulesInChain &&
         std::ranges::all_of(part.addresses, [&](const IpNet& address) {
           return std::ranges::find(sources, single(address)) != sources.end();
         });
}

bool has_legacy_part(const Services& services, const MasqueradePart& part, Deadline deadline) {
  if (!legacy_has_chain(part.family, kNat, part.chain)) return false;
  const IptablesListing listing(
      save_table(services, part.family, IptablesFlavour::legacy, kNat, deadline));
  return missing_lines(part, listing).empty();
}

}  // namespace

void add_iptables_masquerade(Nft& nft, const IptablesMasquerade& what, Deadline deadline) {
  for (const Family family : {Family::v4, Family::v6}) {
    const MasqueradePart part = part_of(what, family);
    if (!part.addresses.empty()) add_part(nft, part, deadline);
  }
}

/// Several questions of one state: if the ruleset changes between them, they are asked again.
bool has_iptables_masquerade(Nft& nft, const IptablesMasquerade& what, Deadline deadline) {
  return std::ranges::all_of(std::vector{Family::v4, Family::v6}, [&](Family family) {
    const MasqueradePart part = part_of(what, family);
    const auto in_nft = [&] { return has_nft_part(nft, part); };
    return part.addresses.empty() || holds_at_one_generation(nft.socket(), in_nft) ||
           has_legacy_part(nft.socket().services(), part, deadline);
  });
}

}  // namespace unicni::net
