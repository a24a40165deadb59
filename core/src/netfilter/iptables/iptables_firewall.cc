#include "unicni/netfilter/iptables_firewall.h"

#include <fmt/core.h>
#include <linux/netfilter.h>

#include <algorithm>

#include "netfilter/iptables/edit.h"
#include "netfilter/iptables/firewall_names.h"
#include "netfilter/iptables/legacy_table.h"
#include "netfilter/nft/query.h"

namespace unicni::net {
namespace {

constexpr const char* kComment = "CNI firewall plugin rules";

std::uint8_t nfproto(Family family) { return family == Family::v4 ? NFPROTO_IPV4 : NFPROTO_IPV6; }

/// The part of a firewall that is in one family's table.
struct FirewallPart {
  const IptablesFirewall& what;
  Family family;
  std::vector<IpAddress> addresses;
};

/// A list of addresses may name one twice, and iptables would make the rule twice.
FirewallPart part_of(const IptablesFirewall& what, Family family) {
  FirewallPart part{what, family, {}};
  for (const IpAddress& address : what.addresses) {
    const bool known = std::ranges::find(part.addresses, address) != part.addresses.end();
    if (address.family() == family && !known) part.addresses.push_back(address);
  }
  return part;
}

/// In the place in which iptables-save prints it: rules are compared as texts.
IptablesWords with_comment(IptablesWords words, const std::string& comment,
                           const std::string& target) {
  words.insert(words.end(), {"-m", "comment", "--comment", comment, "-j", target});
  return words;
}

/// A rule and the place that it has when it is made.
struct Wanted {
  const char* verb;  ///< "-A" or, as the first of its chain, "-I"
  std::string chain;
  IptablesWords words;
};

/// Stage 1 knows the bridges that packets come from, stage 2 those that they would go to: what goes
/// from one such bridge to another is dropped. "-I" puts a bridge's rule before the RETURN at the
/// end.
void add_policy(std::vector<Wanted>& rules, const FirewallPart& part) {
  const std::string& bridge = part.what.bridge;
  const bool isolated = part.what.policy == IngressPolicy::isolated;
  const std::string own =
      fmt::format("{} (ingressPolicy: {})", kComment, isolated ? "isolated" : "same-bridge");
  const std::string shared = fmt::format("{} (ingressPolicy: same-bridge|isolated)", kComment);
  rules.push_back({"-I", kForwardBase, with_comment({}, shared, kIsolationStage1)});
  rules.push_back({"-I", kIsolationStage1,
                   with_comment({"-i", bridge, "!", "-o", bridge}, own, kIsolationStage2)});
  if (isolated) {
    rules.push_back(
        {"-I", kIsolationStage1, with_comment({"-i", bridge, "-o", bridge}, own, "DROP")});
  }
  rules.push_back({"-A", kIsolationStage1, with_comment({}, shared, "RETURN")});
  rules.push_back({"-I", kIsolationStage2, with_comment({"-o", bridge}, shared, "DROP")});
  rules.push_back({"-A", kIsolationStage2, with_comment({}, shared, "RETURN")});
}

/// In the reference's order.
std::vector<Wanted> rules_of(const FirewallPart& part) {
  std::vector<Wanted> rules;
  const std::string& admin_chain = part.what.admin_chain;
  rules.push_back({"-I", kForwardBase, with_comment({}, kComment, kForwardShared)});
  rules.push_back(
      {"-I", kForwardShared, with_comment({}, "CNI firewall plugin admin overrides", admin_chain)});
  for (const IpAddress& address : part.addresses) {
    for (const IptablesWords& words : firewall_rules_of(address)) {
      rules.push_back({"-A", kForwardShared, words});
    }
  }
  if (part.what.policy) add_policy(rules, part);
  return rules;
}

std::vector<std::string> chains_of(const FirewallPart& part) {
  std::vector<std::string> chains{kForwardShared, part.what.admin_chain};
  if (part.what.policy) chains.insert(chains.end(), {kIsolationStage1, kIsolationStage2});
  return chains;
}

/// Comments differ between versions of the reference, and the rule does the same with any of them.
IptablesWords without_comment(IptablesWords words) {
  const auto comment = std::ranges::find(words, "--comment");
  if (comment != words.end()) words.erase(comment - 2, comment + 2);
  return words;
}

/// Comments are another matter in other versions of the reference, and our own gate's is its own.
bool has(const IptablesListing& listing, const Wanted& wanted) {
  const IptablesWords words = without_comment(wanted.words);
  return std::ranges::any_of(listing.rules(), [&](const IptablesRule& rule) {
    return rule.chain == wanted.chain && without_comment(rule.words) == words;
  });
}

/// Chains before the rules that lead to them: iptables-restore refuses a jump to one that isn't
/// there.
std::string missing_lines(const FirewallPart& part, const IptablesListing& listing) {
  std::string lines;
  for (const std::string& chain : chains_of(part)) {
    if (!listing.has_chain(chain)) lines += iptables_line("-N", chain, {});
  }
  for (const Wanted& rule : rules_of(part)) {
    if (!has(listing, rule)) lines += iptables_line(rule.verb, rule.chain, rule.words);
  }
  return lines;
}

bool has_any_nft(Nft& nft, const FirewallPart& part) {
  std::vector<NftChainName> names;
  for (const std::string& chain : chains_of(part)) {
    names.push_back({nfproto(part.family), kFilterTable, chain});
  }
  return std::ranges::any_of(find_chains(nft.socket(), names),
                             [](const auto& found) { return found.has_value(); });
}

bool has_any_legacy(const FirewallPart& part) {
  return std::ranges::any_of(chains_of(part), [&](const std::string& chain) {
    return legacy_has_chain(part.family, kFilterTable, chain);
  });
}

std::optional<std::string> find_fault(const Services& services, const FirewallPart& part,
                                      IptablesFlavour flavour, Deadline deadline) {
  const IptablesListing listing(save_table(services, part.family, flavour, kFilterTable, deadline));
  for (const Wanted& rule : rules_of(part)) {
    if (has(listing, rule)) continue;
    std::string line = iptables_line("-A", rule.chain, rule.words);
    line.pop_back();
    return fmt::format("{}' table filter lacks the rule \"{}\"",
                       part.family == Family::v4 ? "iptables" : "ip6tables", line);
  }
  return std::nullopt;
}

std::optional<std::string> find_fault(Nft& nft, const FirewallPart& part, Deadline deadline) {
  std::optional<std::string> fault = fmt::format(
      "{} has no chain {}", part.family == Family::v4 ? "iptables" : "ip6tables", kForwardShared);
  const NftChainName chain{nfproto(part.family), kFilterTable, kForwardShared};
  if (find_chains(nft.socket(), {chain})[0]) {
    fault = find_fault(nft.socket().services(), part, IptablesFlavour::nft, deadline);
  }
  if (fault && legacy_has_chain(part.family, kFilterTable, kForwardShared)) {
    fault = find_fault(nft.socket().services(), part, IptablesFlavour::legacy, deadline);
  }
  return fault;
}

}  // namespace

void add_iptables_firewall(Nft& nft, const IptablesFirewall& what, Deadline deadline) {
  for (const Family family : {Family::v4, Family::v6}) {
    const FirewallPart part = part_of(what, family);
    if (part.addresses.empty()) continue;
    edit_iptables(
        {nft.socket(), family, IptablesFlavour::host, kFilterTable},
        fmt::format("add rules to {} of {}' table filter", kForwardShared,
                    family == Family::v4 ? "iptables" : "ip6tables"),
        deadline, [&] { return has_any_nft(nft, part) || has_any_legacy(part); },
        [&](const IptablesListing& listing) { return missing_lines(part, listing); });
  }
}

std::optional<std::string> find_iptables_firewall_fault(Nft& nft, const IptablesFirewall& what,
                                                        Deadline deadline) {
  for (const Family family : {Family::v4, Family::v6}) {
    const FirewallPart part = part_of(what, family);
    if (part.addresses.empty()) continue;
    if (auto fault = find_fault(nft, part, deadline)) return fault;
  }
  return std::nullopt;
}

}  // namespace unicni::net
