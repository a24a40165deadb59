#include "unicni/net/iptables.h"

#include <fmt/core.h>
#include <linux/netfilter.h>

#include <algorithm>

#include "net/iptables_program.h"
#include "net/legacy_table.h"
#include "net/nat_listing.h"
#include "net/nft_query.h"
#include "net/reference_name.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

constexpr const char* kNat = "nat";
constexpr const char* kPostrouting = "POSTROUTING";
constexpr int kTries = 3;  // each fails only if the table was changed meanwhile
constexpr std::size_t kRulesInChain = 2;
constexpr std::size_t kCommentLimit = 255;  // XT_MAX_COMMENT_LEN with its NUL

/// The part of a masquerade that is in one family's table.
struct Part {
  Family family;
  std::uint8_t nfproto;
  IpNet multicast;
  std::string chain;
  std::string comment;
  std::vector<IpNet> addresses;
};

Part part_of(const IptablesMasquerade& what, Family family) {
  const bool v4 = family == Family::v4;
  Part part{family,
            static_cast<std::uint8_t>(v4 ? NFPROTO_IPV4 : NFPROTO_IPV6),
            IpNet::parse(v4 ? "224.0.0.0/4" : "ff00::/8").value(),
            reference_masquerade_chain(what.network, what.container_id),
            reference_masquerade_comment(what.network, what.container_id).substr(0, kCommentLimit),
            {}};
  std::ranges::copy_if(what.addresses, std::back_inserter(part.addresses),
                       [&](const IpNet& address) { return address.family() == family; });
  return part;
}

IpNet single(const IpNet& address) { return {address.address(), address.address().bits()}; }

/// iptables-restore's own quoting.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

bool has_rule(const NatListing& listing, const std::string& chain, const auto& matches) {
  return std::ranges::any_of(
      listing.rules(), [&](const NatRule& rule) { return rule.chain == chain && matches(rule); });
}

bool accepts_subnet(const NatRule& rule, const IpNet& address) {
  return rule.target == "ACCEPT" && rule.destination == address.masked();
}

bool masquerades(const NatRule& rule, const Part& part) {
  return rule.target == "MASQUERADE" && rule.not_destination == part.multicast;
}

bool jumps(const NatRule& rule, const Part& part, const IpNet& address) {
  return rule.target == part.chain && rule.source == single(address);
}

/// The lines for iptables-restore that add what `listing` lacks; in the reference's order.
std::string missing_lines(const Part& part, const NatListing& listing) {
  std::string lines;
  const std::string comment = "-m comment --comment " + quoted(part.comment);
  // "-N", not ":chain", which would flush one that another attachment just made.
  if (!listing.has_chain(part.chain)) lines += fmt::format("-N {}\n", part.chain);
  bool masqueraded =
      has_rule(listing, part.chain, [&](const NatRule& rule) { return masquerades(rule, part); });
  std::vector<IpNet> accepted;
  for (const IpNet& address : part.addresses) {
    const IpNet subnet = address.masked();
    const bool known = std::ranges::find(accepted, subnet) != accepted.end() ||
                       has_rule(listing, part.chain,
                                [&](const NatRule& rule) { return accepts_subnet(rule, address); });
    if (!known)
      lines += fmt::format("-A {} -d {} {} -j ACCEPT\n", part.chain, subnet.str(), comment);
    accepted.push_back(subnet);
    if (!masqueraded) {
      lines += fmt::format("-A {} ! -d {} {} -j MASQUERADE\n", part.chain, part.multicast.str(),
                           comment);
    }
    masqueraded = true;
    if (!has_rule(listing, kPostrouting,
                  [&](const NatRule& rule) { return jumps(rule, part, address); })) {
      lines += fmt::format("-A {} -s {} {} -j {}\n", kPostrouting, single(address).str(), comment,
                           part.chain);
    }
  }
  return lines;
}

void add_part(Nft& nft, const Part& part, Deadline deadline) {
  std::string complaint;
  for (int tries = 0; tries < kTries; ++tries) {
    const auto found = find_chains(nft.socket(), {{part.nfproto, kNat, part.chain}});
    const bool exists = found[0] || legacy_nat_has_chain(part.family, part.chain);
    const NatListing listing(exists ? save_nat(part.family, IptablesFlavour::host, deadline)
                                    : std::string());
    const std::string lines = missing_lines(part, listing);
    if (lines.empty()) return;
    if (restore_nat(part.family, IptablesFlavour::host, lines, deadline, complaint)) return;
  }
  throw Error(Code::internal, fmt::format("add chain {} to iptables' table nat", part.chain),
              complaint);
}

bool has_nft_part(Nft& nft, const Part& part) {
  const auto found = find_chains(nft.socket(), {{part.nfproto, kNat, part.chain}});
  if (!found[0]) return false;
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

bool has_legacy_part(const Part& part, Deadline deadline) {
  if (!legacy_nat_has_chain(part.family, part.chain)) return false;
  const NatListing listing(save_nat(part.family, IptablesFlavour::legacy, deadline));
  return missing_lines(part, listing).empty();
}

}  // namespace

void add_iptables_masquerade(Nft& nft, const IptablesMasquerade& what, Deadline deadline) {
  for (const Family family : {Family::v4, Family::v6}) {
    const Part part = part_of(what, family);
    if (!part.addresses.empty()) add_part(nft, part, deadline);
  }
}

bool has_iptables_masquerade(Nft& nft, const IptablesMasquerade& what, Deadline deadline) {
  return std::ranges::all_of(std::vector{Family::v4, Family::v6}, [&](Family family) {
    const Part part = part_of(what, family);
    return part.addresses.empty() || has_nft_part(nft, part) || has_legacy_part(part, deadline);
  });
}

}  // namespace unicni::net
