#include "unicni/netfilter/reference_ports.h"

#include <fmt/core.h>
#include <linux/netfilter.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "netfilter/gate/foreign_chain.h"
#include "netfilter/nft/transaction.h"
#include "netfilter/rule_sweep.h"
#include "unicni/netfilter/iptables_ports_removal.h"

namespace unicni::net {
namespace {

constexpr const char* kTable = "cni_hostport";
/// Those with a container's rules; the second one is of old versions.
constexpr const char* kChains[] = {"hostports", "hostip_hostports", "masquerading"};

/// The comment names the container only; the rule itself says to which attachment it leads, by the
/// DNAT or, in the chain that masquerades, by the destination.
bool is_of(const ReferencePorts& what, const NftListedRule& rule) {
  if (rule.comment != what.key.container_id) return false;
  if (what.container_is_gone) return true;
  const auto is_ours = [&](const std::optional<IpAddress>& address) {
    return address && std::ranges::find(what.addresses, *address) != what.addresses.end();
  };
  if (rule.dnat_to) return is_ours(rule.dnat_to);
  return rule.destination && is_ours(rule.destination->address());
}

/// Rules are read and deleted under one generation. The table goes with its last rule, as the
/// reference never deletes it.
std::size_t remove_from_table(NetlinkSocket& socket, std::uint8_t family,
                              const ReferencePorts& what) {
  std::size_t removed = 0;
  commit_as_read(socket, fmt::format("remove rules of nftables table {}", kTable),
                 [&](NftBatch& batch) {
                   removed = 0;
                   bool needed = false;
                   for (const char* name : kChains) {
                     const NftChainName chain{family, kTable, name};
                     for (const NftListedRule& rule : list_rules(socket, chain)) {
                       if (is_of(what, rule)) {
                         delete_rule(batch, chain, rule.handle);
                         ++removed;
                       } else {
                         needed = true;
                       }
                     }
                   }
                   // Its base chains would stay in every packet's way.
                   if (removed > 0 && !needed) delete_table(batch, family, kTable);
                 });
  return removed;
}

constexpr std::uint8_t kFamilies[] = {NFPROTO_IPV4, NFPROTO_IPV6};

/// By the chain that each table has; in the order of kFamilies.
auto find_tables(NetlinkSocket& socket) {
  return find_chains(socket,
                     {{kFamilies[0], kTable, kChains[0]}, {kFamilies[1], kTable, kChains[0]}});
}

using Rules = std::vector<NftListedRule>;

/// Of the container, in both chains that have published ports.
Rules list_published(NetlinkSocket& socket, std::uint8_t family, const std::string& container_id) {
  Rules rules;
  for (const char* chain : {kChains[0], kChains[1]}) {
    std::ranges::move(list_rules(socket, {family, kTable, chain}), std::back_inserter(rules));
  }
  std::erase_if(rules, [&](const NftListedRule& rule) { return rule.comment != container_id; });
  return rules;
}

bool publishes(const NftListedRule& rule, const PublishedPort& port) {
  const auto host_ip = rule.destination ? std::optional(rule.destination->address()) : std::nullopt;
  return rule.protocol == port.protocol && rule.port == port.host_port && host_ip == port.host_ip &&
         rule.dnat_to == port.container && rule.dnat_port == port.container_port;
}

/// From itself, by all its versions, and from 127.0.0.1, unless one rule is for all senders.
bool masquerades(const Rules& rules, const std::string& container_id, const PublishedPort& port) {
  const auto has = [&](const IpAddress& sender) {
    return std::ranges::any_of(rules, [&](const NftListedRule& rule) {
      return rule.comment == container_id && rule.destination &&
             rule.destination->address() == port.container &&
             (!rule.source || rule.source->contains(sender));
    });
  };
  const bool by_loopback = port.container.family() == Family::v4 && !port.masq_all;
  return has(port.container) && (!by_loopback || has(*IpAddress::parse("127.0.0.1")));
}

bool has_ports(NetlinkSocket& socket, std::uint8_t family, const std::string& container_id,
               const std::vector<PublishedPort>& ports) {
  const Rules entry = list_rules(socket, {family, kTable, "prerouting"});
  const bool is_entered = std::ranges::any_of(
      entry, [](const NftListedRule& rule) { return rule.target.starts_with(kChains[0]); });
  if (!is_entered) return false;
  const Rules published = list_published(socket, family, container_id);
  const Rules masquerading = list_rules(socket, {family, kTable, kChains[2]});
  return std::ranges::all_of(ports, [&](const PublishedPort& port) {
    return std::ranges::any_of(published,
                               [&](const NftListedRule& rule) { return publishes(rule, port); }) &&
           (!port.snat || masquerades(masquerading, container_id, port));
  });
}

}  // namespace

bool has_reference_nft_ports(Nft& nft, const std::string& container_id,
                             const std::vector<PublishedPort>& ports) {
  const auto found = find_tables(nft.socket());
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::vector<PublishedPort> own = ports;
    std::erase_if(own, [&](const PublishedPort& port) {
      return (port.container.family() == Family::v4) != (kFamilies[i] == NFPROTO_IPV4);
    });
    if (own.empty()) continue;
    if (!found[i] || !has_ports(nft.socket(), kFamilies[i], container_id, own)) return false;
  }
  return true;
}

std::size_t remove_reference_ports(Nft& nft, const ReferencePorts& what, Deadline deadline) {
  const auto found = find_tables(nft.socket());
  RuleSweep sweep;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) continue;
    sweep.attempt([&] { return remove_from_table(nft.socket(), kFamilies[i], what); });
  }
  std::vector<std::string> owners{what.key.container_id};
  if (!what.key.if_name.empty()) {
    owners.push_back(what.key.container_id + '/' + what.key.if_name);
    owners.push_back(owners.back() + '/' + what.key.network);
  }
  sweep.attempt([&] {
    return remove_iptables_ports(nft, what.key.network, owners, deadline, [&](const auto& owner) {
      return owner != what.key.container_id || !what.is_taken || !what.is_taken();
    });
  });
  return sweep.finish();
}

}  // namespace unicni::net
