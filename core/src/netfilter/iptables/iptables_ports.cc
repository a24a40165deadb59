#include "unicni/netfilter/iptables_ports.h"

#include <fmt/core.h>
#include <linux/netfilter.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "netfilter/iptables/edit.h"
#include "netfilter/iptables/legacy_table.h"
#include "netfilter/iptables/ports_names.h"
#include "netfilter/nft/query.h"
#include "netfilter/reference/reference_name.h"
#include "unicni/error.h"
#include "unicni/netfilter/iptables_ports_removal.h"

namespace unicni::net {
namespace {

constexpr std::size_t kPortsInARule = 15;  // XT_MULTI_PORTS

std::uint8_t nfproto(Family family) { return family == Family::v4 ? NFPROTO_IPV4 : NFPROTO_IPV6; }

const char* program(Family family) { return family == Family::v4 ? "iptables" : "ip6tables"; }

/// What is in one family's table.
struct PortsPart {
  const IptablesPorts& what;
  Family family;
  IpNet address;
  const std::vector<std::string>& conditions;
  std::string chain;
  std::string comment;
};

/// The chain has the reference's name in both families; a family without an address has nothing.
std::vector<PortsPart> parts_of(const IptablesPorts& what) {
  std::vector<PortsPart> parts;
  if (what.ports.empty()) return parts;
  const std::string chain = reference_dnat_chain(what.key.network, iptables_chain_owner(what));
  const std::string comment = reference_dnat_comment(what.key.network, what.key.container_id);
  if (what.address4) {
    parts.push_back({what, Family::v4, *what.address4, what.conditions4, chain, comment});
  }
  if (what.address6) {
    parts.push_back({what, Family::v6, *what.address6, what.conditions6, chain, comment});
  }
  return parts;
}

IptablesWords joined(IptablesWords words, const IptablesWords& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

IpNet single(const IpAddress& address) { return {address, address.bits()}; }

bool is_of_family(const IptablesPort& port, Family family) {
  return !port.host_ip || port.host_ip->family() == family;
}

/// The address that the port is limited to.
/// 0.0.0.0 and :: mean every address of their family.
std::optional<IpNet> only_address(const IptablesPort& port) {
  if (!port.host_ip || port.host_ip->is_unspecified()) return std::nullopt;
  return single(*port.host_ip);
}

/// The rules of a port in the attachment's chain, each as iptables-save prints it.
void put_port_rules(std::vector<IptablesWords>& rules, const PortsPart& part,
                    const IptablesPort& port) {
  IptablesWords packet;
  if (const auto only = only_address(port)) packet = {"-d", only->str()};
  packet = joined(std::move(packet), {"-p", port.protocol, "-m", port.protocol, "--dport",
                                      std::to_string(port.host_port)});
  const bool own_mark = part.what.set_mark_chain.empty();
  // Marks come before the DNAT, which ends the way through nat's chains.
  const std::string marker = own_mark ? kPortsSetMark : part.what.set_mark_chain;
  const IptablesWords mark = joined(packet, {"-j", marker});
  if (part.what.snat) {
    rules.push_back(part.what.masq_all ? mark : joined({"-s", part.address.masked().str()}, mark));
    if (part.family == Family::v4 && !part.what.masq_all) {
      rules.push_back(joined({"-s", "127.0.0.1/32"}, mark));
    }
  }
  const std::string address = part.address.address().str();
  const std::string to = part.family == Family::v4
                             ? fmt::format("{}:{}", address, port.container_port)
                             : fmt::format("[{}]:{}", address, port.container_port);
  rules.push_back(joined(packet, {"-j", "DNAT", "--to-destination", to}));
}

/// A port of any address may be written in more than one way: each rule once.
std::vector<IptablesWords> chain_rules(const PortsPart& part) {
  std::vector<IptablesWords> rules;
  for (const IptablesPort& port : part.what.ports) {
    std::vector<IptablesWords> more;
    if (is_of_family(port, part.family)) put_port_rules(more, part, port);
    for (IptablesWords& words : more) {
      if (std::ranges::find(rules, words) == rules.end()) rules.push_back(std::move(words));
    }
  }
  return rules;
}

/// The rules of CNI-HOSTPORT-DNAT that lead to the chain. Of all ports, also those of addresses of
/// the other family, as the reference has it: the chain then has no rule for them.
std::vector<IptablesWords> entry_rules(const PortsPart& part) {
  std::map<std::string, std::vector<std::string>> protocols;
  for (const IptablesPort& port : part.what.ports) {
    protocols[port.protocol].push_back(std::to_string(port.host_port));
  }
  std::vector<IptablesWords> rules;
  for (const auto& [protocol, ports] : protocols) {
    for (std::size_t first = 0; first < ports.size(); first += kPortsInARule) {
      std::string list;
      for (std::size_t i = first; i < std::min(first + kPortsInARule, ports.size()); ++i) {
        list += (list.empty() ? "" : ",") + ports[i];
      }
      const IptablesWords words{"-p",         protocol, "-m",        "comment",  "--comment",
                                part.comment, "-m",     "multiport", "--dports", list};
      rules.push_back(joined(joined(words, part.conditions), {"-j", part.chain}));
    }
  }
  return rules;
}

struct SharedRule {
  const char* verb;  ///< "-A" or, as the first of its chain, "-I"
  std::string chain;
  IptablesWords words;
  bool any_to_target;  ///< another rule of the chain with that target will do
};

/// Made by the first attachment, used by all, and taken away with the last one. The reference makes
/// the same, so a rule that is there already is left as it is.
std::vector<SharedRule> shared_rules(const PortsPart& part) {
  std::vector<SharedRule> rules;
  if (part.what.snat && part.what.set_mark_chain.empty()) {
    const std::string mark = fmt::format("{0:#x}/{0:#x}", 1U << part.what.mark_bit);
    rules.push_back({"-A",
                     kPortsSetMark,
                     {"-m", "comment", "--comment", "CNI portfwd masquerade mark", "-j", "MARK",
                      "--set-xmark", mark},
                     false});
    rules.push_back(
        {"-A", kPortsMasquerade, {"-m", "mark", "--mark", mark, "-j", "MASQUERADE"}, false});
    // Before the masquerade of bridge and ptp, which ends the matter.
    rules.push_back(
        {"-I",
         kPostroutingBase,
         {"-m", "comment", "--comment", "CNI portfwd requiring masquerade", "-j", kPortsMasquerade},
         true});
  }
  // PREROUTING has packets from outside and from containers, OUTPUT those of the host itself. Only
  // what is addressed to the host may be led away.
  for (const char* base : kDnatBases) {
    rules.push_back(
        {"-A", base, {"-m", "addrtype", "--dst-type", "LOCAL", "-j", kPortsDnat}, true});
  }
  return rules;
}

std::vector<std::string> shared_chains(const PortsPart& part) {
  std::vector<std::string> chains;
  if (part.what.snat && part.what.set_mark_chain.empty()) {
    chains = {kPortsSetMark, kPortsMasquerade};
  }
  chains.emplace_back(kPortsDnat);
  return chains;
}

/// Shared rules of other versions of the reference have other comments and do as well.
bool is_there(const IptablesListing& listing, const SharedRule& rule) {
  return listing.has(rule.chain, rule.words) ||
         (rule.any_to_target && listing.count_jumps(rule.chain, rule.words.back()) > 0);
}

/// Whether `rule`, of an attachment's chain, has a port of ours.
/// Between two attachments at one port the kernel would choose by the order of rules: the second
/// would never get a packet, and nothing would say so.
const IptablesPort* find_conflict(const PortsPart& part, const IptablesRule& rule) {
  if (rule.target != "DNAT") return nullptr;
  const auto found = std::ranges::find_if(part.what.ports, [&](const IptablesPort& port) {
    if (!is_of_family(port, part.family) || rule.value_of("-p") != port.protocol ||
        rule.value_of("--dport") != std::to_string(port.host_port)) {
      return false;
    }
    const auto only = only_address(port);
    return !only || !rule.destination || rule.destination == only;
  });
  return found == part.what.ports.end() ? nullptr : &*found;
}

/// "<network>" and "<container>" of reference_dnat_comment(); nullopt: it was cut, or is no such.
std::optional<std::pair<std::string, std::string>> owner_of(std::string_view comment) {
  constexpr std::string_view kStart = "dnat name: \"";
  constexpr std::string_view kMiddle = "\" id: \"";
  const std::size_t middle = comment.find(kMiddle);
  if (!comment.starts_with(kStart) || middle == comment.npos || !comment.ends_with('"')) {
    return std::nullopt;
  }
  const std::size_t id = middle + kMiddle.size();
  if (comment.size() <= id) return std::nullopt;
  return std::pair(std::string(comment.substr(kStart.size(), middle - kStart.size())),
                   std::string(comment.substr(id, comment.size() - id - 1)));
}

/// Whether a rule with that comment is of an attachment of the container.
bool is_of_container(std::string_view comment, const std::string& container_id) {
  if (const auto owner = owner_of(comment)) return owner->second == container_id;
  // Cut by reference_dnat_comment(), which leaves two dots.
  constexpr std::string_view kBeforeId = "\" id: \"";
  const std::size_t at = comment.find(kBeforeId);
  if (at == comment.npos || !comment.ends_with("..")) return false;
  std::string_view part = comment.substr(at + kBeforeId.size());
  part.remove_suffix(2);
  return container_id.starts_with(part);
}

/// The rules that lead to the chain go before the chain is emptied, so no packet meets half of it.
std::string removal_lines(const IptablesListing& listing, const std::string& chain) {
  std::string lines;
  for (const IptablesRule& rule : listing.rules()) {
    if (rule.chain == kPortsDnat && rule.target == chain) {
      lines += fmt::format("-D {} {}\n", rule.chain, rule.text);
    }
  }
  return lines + fmt::format("-F {}\n", chain);
}

using Rivals = std::map<std::string, const IptablesPort*, std::less<>>;

/// Other chains that have a port of ours, and which.
Rivals find_rivals(const PortsPart& part, const IptablesListing& listing) {
  Rivals rivals;
  for (const IptablesRule& rule : listing.rules()) {
    if (rule.chain == part.chain) continue;
    if (const IptablesPort* port = find_conflict(part, rule)) rivals.emplace(rule.chain, port);
  }
  return rivals;
}

IptablesChainHolder holder_of(const IptablesRule& entry) {
  const auto owner = owner_of(entry.value_of("--comment")).value_or(std::pair("", ""));
  return {owner.first, owner.second, entry.target};
}

/// Chains that have a port of ours and are void. Throws Error for another container's that isn't.
std::set<std::string> void_chains(const PortsPart& part, const IptablesListing& listing,
                                  const IsVoid& is_void) {
  Rivals rivals = find_rivals(part, listing);
  std::set<std::string> chains;
  for (const IptablesRule& entry : listing.rules()) {
    if (rivals.empty()) break;
    const auto rival = entry.chain == kPortsDnat ? rivals.find(entry.target) : rivals.end();
    if (rival == rivals.end()) continue;
    const IptablesPort& port = *rival->second;
    rivals.erase(rival);
    const IptablesChainHolder holder = holder_of(entry);
    if (is_void && is_void(holder)) {
      chains.insert(holder.chain);
      continue;
    }
    const std::string_view comment = entry.value_of("--comment");
    if (is_of_container(comment, part.what.key.container_id)) continue;  // first come, first served
    throw Error(
        Code::internal,
        holder.container_id.empty()
            ? fmt::format("host port {}/{} is taken by {}", port.host_port, port.protocol, comment)
            : fmt::format("host port {}/{} is taken by container {} on network {}", port.host_port,
                          port.protocol, holder.container_id, holder.network),
        fmt::format("choose another hostPort or hostIP; if that container is gone, its DEL, or "
                    "`{0} -t nat -D {1} {2}`, frees the port",
                    program(part.family), kPortsDnat, entry.text));
  }
  return chains;
}

/// The first rule counts: what is void behind ours gets no packet.
std::optional<std::string> find_shadow(const PortsPart& part, const IptablesListing& listing,
                                       const IsVoid& is_void) {
  const Rivals rivals = find_rivals(part, listing);
  if (rivals.empty() || !is_void) return std::nullopt;
  for (const IptablesRule& entry : listing.rules()) {
    if (entry.chain != kPortsDnat || entry.target.empty()) continue;
    if (entry.target == part.chain) return std::nullopt;
    const auto rival = rivals.find(entry.target);
    if (rival == rivals.end() || !is_void(holder_of(entry))) continue;
    return fmt::format(
        "host port {}/{} leads to an attachment that is gone, by chain {} of {}' "
        "table nat",
        rival->second->host_port, rival->second->protocol, entry.target, program(part.family));
  }
  return std::nullopt;
}

/// One transaction of iptables-restore, which refuses a rule that leads to a chain that isn't there
/// yet.
std::string lines_for(const PortsPart& part, const IptablesListing& listing,
                      const IsVoid& is_void) {
  std::string lines;
  for (const std::string& chain : void_chains(part, listing, is_void)) {
    lines += removal_lines(listing, chain) + fmt::format("-X {}\n", chain);
  }
  for (const std::string& chain : shared_chains(part)) {
    if (!listing.has_chain(chain)) lines += iptables_line("-N", chain, {});
  }
  for (const SharedRule& rule : shared_rules(part)) {
    if (!is_there(listing, rule)) lines += iptables_line(rule.verb, rule.chain, rule.words);
  }
  // Of an earlier ADD, perhaps with other ports.
  lines += listing.has_chain(part.chain) ? removal_lines(listing, part.chain)
                                         : iptables_line("-N", part.chain, {});
  for (const IptablesWords& words : chain_rules(part)) {
    lines += iptables_line("-A", part.chain, words);
  }
  for (const IptablesWords& words : entry_rules(part)) {
    lines += iptables_line("-A", kPortsDnat, words);
  }
  return lines;
}

/// Any of the chains that we are going to make.
/// Where none is there the table needn't be saved: one process instead of two. iptables' table may
/// be in nftables or in legacy; which of them `iptables` means doesn't matter here.
bool has_any(Nft& nft, const PortsPart& part) {
  std::vector<std::string> chains = shared_chains(part);
  chains.push_back(part.chain);
  std::vector<NftChainName> names;
  for (const std::string& chain : chains) {
    names.push_back({nfproto(part.family), kNatTable, chain});
  }
  return std::ranges::any_of(find_chains(nft.socket(), names),
                             [](const auto& found) { return found.has_value(); }) ||
         std::ranges::any_of(chains, [&](const std::string& chain) {
           return legacy_has_chain(part.family, kNatTable, chain);
         });
}

/// Conditions may be printed in other words than they were given in.
bool has_entry(const IptablesListing& listing, const PortsPart& part, const IptablesWords& words) {
  if (part.conditions.empty()) return listing.has(kPortsDnat, words);
  IptablesRule wanted;
  wanted.words = words;
  return std::ranges::any_of(listing.rules(), [&](const IptablesRule& rule) {
    const auto same = [&](std::string_view option) {
      return rule.value_of(option) == wanted.value_of(option);
    };
    return rule.chain == kPortsDnat && rule.target == part.chain && same("-p") &&
           same("--dports") && same("--comment");
  });
}

std::optional<std::string> find_fault(const Services& services, const PortsPart& part,
                                      IptablesFlavour flavour, const IsVoid& is_void,
                                      Deadline deadline) {
  const IptablesListing listing(save_table(services, part.family, flavour, kNatTable, deadline));
  const auto missing = [&](const std::string& chain, const IptablesWords& words) {
    std::string line = iptables_line("-A", chain, words);
    line.pop_back();
    return fmt::format("{}' table nat lacks the rule \"{}\"", program(part.family), line);
  };
  for (const SharedRule& rule : shared_rules(part)) {
    if (!is_there(listing, rule)) return missing(rule.chain, rule.words);
  }
  for (const IptablesWords& words : chain_rules(part)) {
    if (!listing.has(part.chain, words)) return missing(part.chain, words);
  }
  for (const IptablesWords& words : entry_rules(part)) {
    if (!has_entry(listing, part, words)) return missing(kPortsDnat, words);
  }
  return find_shadow(part, listing, is_void);
}

/// In nftables first, where most hosts have them; a chain in legacy alone is as good.
std::optional<std::string> find_fault(Nft& nft, const PortsPart& part, const IsVoid& is_void,
                                      Deadline deadline) {
  std::optional<std::string> fault =
      fmt::format("{}' table nat has no chain {}", program(part.family), part.chain);
  if (find_chains(nft.socket(), {{nfproto(part.family), kNatTable, part.chain}})[0]) {
    fault = find_fault(nft.socket().services(), part, IptablesFlavour::nft, is_void, deadline);
  }
  if (fault && legacy_has_chain(part.family, kNatTable, part.chain)) {
    fault = find_fault(nft.socket().services(), part, IptablesFlavour::legacy, is_void, deadline);
  }
  return fault;
}

}  // namespace

/// A transaction for each family. If the second one fails, the undo record of both takes the first
/// back.
void add_iptables_ports(Nft& nft, const IptablesPorts& what, const IsVoid& is_void,
                        Deadline deadline) {
  for (const PortsPart& part : parts_of(what)) {
    edit_iptables(
        {nft.socket(), part.family, IptablesFlavour::host, kNatTable},
        fmt::format("publish ports by {}' table nat", program(part.family)), deadline,
        [&] { return has_any(nft, part); },
        [&](const IptablesListing& listing) { return lines_for(part, listing, is_void); });
  }
}

namespace {

/// Whether a rule that leads to an attachment's chain may have a port of ours, or doesn't tell.
bool may_have_port(const PortsPart& part, const NftListedRule& rule) {
  if (rule.target.empty()) return false;
  return rule.ports.empty() || std::ranges::any_of(part.what.ports, [&](const IptablesPort& port) {
           return std::ranges::find(rule.ports, port.host_port) != rule.ports.end();
         });
}

/// What it means that a table can't be read for want of a program.
enum class Unread : unsigned char { is_error, is_passed_over };

/// Iptables' tables that may have a port of `what`, which publishes otherwise: no chain there is
/// its own. Netlink narrows it down, and a program runs only if a rule may have one of the ports.
/// Whose that is stands in xtables' match "comment", which list_rules() doesn't read. Of legacy
/// only the chain is known. `look` says whether to go on.
void list_tables(
    Nft& nft, const IptablesPorts& what, Deadline deadline, Unread unread,
    const std::function<bool(const PortsPart& part, const IptablesListing& listing)>& look) {
  std::vector<PortsPart> parts = parts_of(what);
  std::vector<NftChainName> names;
  for (PortsPart& part : parts) {
    part.chain.clear();
    names.push_back({nfproto(part.family), kNatTable, kPortsDnat});
  }
  const auto found = find_chains(nft.socket(), names);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const PortsPart& part = parts[i];
    const auto may = [&](const NftListedRule& rule) { return may_have_port(part, rule); };
    const auto goes_on = [&](IptablesFlavour flavour) {
      if (unread == Unread::is_passed_over && !can_save_table(part.family, flavour)) return true;
      return look(part, IptablesListing(save_table(nft.socket().services(), part.family, flavour,
                                                   kNatTable, deadline)));
    };
    if (found[i] && std::ranges::any_of(list_rules(nft.socket(), names[i]), may) &&
        !goes_on(IptablesFlavour::nft)) {
      return;
    }
    if (legacy_has_chain(part.family, kNatTable, kPortsDnat) && !goes_on(IptablesFlavour::legacy)) {
      return;
    }
  }
}

}  // namespace

/// For backend nftables: a port that iptables' rules lead elsewhere would never reach ours, as
/// their chains come first.
void require_no_iptables_ports(Nft& nft, const IptablesPorts& what, const IsVoid& is_void,
                               Deadline deadline) {
  const auto make_room = [&](const PortsPart& part, const IptablesListing& listing) {
    for (const std::string& chain : void_chains(part, listing, is_void)) {
      remove_iptables_ports_chain(nft, part.family, chain, deadline);
    }
    return true;
  };
  list_tables(nft, what, deadline, Unread::is_error, make_room);
}

std::optional<std::string> find_void_iptables_ports(Nft& nft, const IptablesPorts& what,
                                                    const IsVoid& is_void, Deadline deadline) {
  std::optional<std::string> fault;
  const auto look = [&](const PortsPart& part, const IptablesListing& listing) {
    fault = find_shadow(part, listing, is_void);
    return !fault;
  };
  list_tables(nft, what, deadline, Unread::is_passed_over, look);
  return fault;
}

bool has_iptables_ports(Nft& nft, Family family) {
  return !list_rules(nft.socket(), {nfproto(family), kNatTable, kPortsDnat}).empty() ||
         legacy_has_chain(family, kNatTable, kPortsDnat);
}

/// Legacy's chains can't be told apart without a program. Where we have none of our own any rule
/// there is another's.
bool has_iptables_ports_besides(Nft& nft, Family family, const std::set<std::string>& ours) {
  const auto rules = list_rules(nft.socket(), {nfproto(family), kNatTable, kPortsDnat});
  const bool others = std::ranges::any_of(rules, [&](const NftListedRule& rule) {
    return !rule.target.empty() && !ours.contains(rule.target);
  });
  return others || (ours.empty() && legacy_has_chain(family, kNatTable, kPortsDnat));
}

bool has_iptables_ports_chain(Nft& nft, const std::string& network, const std::string& owner) {
  const std::string chain = reference_dnat_chain(network, owner);
  const auto found = find_chains(
      nft.socket(), {{NFPROTO_IPV4, kNatTable, chain}, {NFPROTO_IPV6, kNatTable, chain}});
  return found[0] || found[1] || legacy_has_chain(Family::v4, kNatTable, chain) ||
         legacy_has_chain(Family::v6, kNatTable, chain);
}

std::string iptables_ports_chain(const std::string& network, const std::string& owner) {
  return reference_dnat_chain(network, owner);
}

/// By the comments of the rules that lead there: a program runs for each table that has the chain.
std::optional<IptablesChainHolder> find_other_chain_holder(Nft& nft, const std::string& network,
                                                           const std::string& container_id,
                                                           Deadline deadline) {
  const std::string chain = reference_dnat_chain(network, container_id);
  const std::string own = reference_dnat_comment(network, container_id);
  for (const Family family : {Family::v4, Family::v6}) {
    const bool in_nft =
        find_chains(nft.socket(), {{nfproto(family), kNatTable, chain}})[0].has_value();
    const bool in_legacy = legacy_has_chain(family, kNatTable, chain);
    for (const auto& [is_there, flavour] :
         {std::pair(in_nft, IptablesFlavour::nft), std::pair(in_legacy, IptablesFlavour::legacy)}) {
      if (!is_there) continue;
      const IptablesListing listing(
          save_table(nft.socket().services(), family, flavour, kNatTable, deadline));
      for (const IptablesRule& rule : listing.rules()) {
        if (rule.chain != kPortsDnat || rule.target != chain) continue;
        const std::string_view comment = rule.value_of("--comment");
        const auto owner = comment == own ? std::nullopt : owner_of(comment);
        if (owner) return IptablesChainHolder{owner->first, owner->second, chain};
      }
    }
  }
  return std::nullopt;
}

std::optional<std::string> find_iptables_ports_fault(Nft& nft, const IptablesPorts& what,
                                                     const IsVoid& is_void, Deadline deadline) {
  for (const PortsPart& part : parts_of(what)) {
    if (auto fault = find_fault(nft, part, is_void, deadline)) return fault;
  }
  return std::nullopt;
}

}  // namespace unicni::net
