// What an attachment left that no journal knows: found by the marks that its objects carry (alias,
// comment, computed names).
#include "chain/leftovers.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "undo/record_fields.h"
#include "unicni/errors.h"
#include "unicni/interface_entry.h"
#include "unicni/link_module.h"
#include "unicni/net/link.h"
#include "unicni/netfilter/iptables_firewall_removal.h"
#include "unicni/netfilter/nft.h"
#include "unicni/netfilter/reference_ports.h"
#include "unicni/netfilter/reference_rules.h"
#include "unicni/undo/iptables_firewall.h"
#include "unicni/undo/iptables_ports.h"
#include "unicni/undo/localnet.h"

namespace unicni::chain {

namespace {

/// Set by set through all of ours, as nobody remembers which sets the attachment used.
void remove_elements(const std::string& owner, net::Nft& nft) {
  std::vector<net::NftElement> elements;
  for (const net::NftSet& set : nft.sets()) {
    for (net::NftElement& element : nft.list(set.name, set.table)) {
      if (element.owner == owner) elements.push_back(std::move(element));
    }
  }
  if (!elements.empty()) nft.remove(elements);
}

/// "veth" and 8 hex digits: a container's host end, of ours and of the reference. Other veths of
/// the host that a result may name are shared, such as the gateway of a bridge's VLAN.
bool is_host_end_name(std::string_view name) {
  constexpr std::string_view kPrefix = "veth";
  constexpr std::size_t kDigits = 8;
  return name.starts_with(kPrefix) && name.size() == kPrefix.size() + kDigits &&
         name.find_first_not_of("0123456789abcdef", kPrefix.size()) == name.npos;
}

/// Whether prevResult names `link` as something of this attachment on the host. Name and MAC were
/// both random, so no other link has them.
bool is_recorded(const net::Link& link, const Call& call) {
  if (!call.prev_result || !is_host_end_name(link.name)) return false;
  const Interface* recorded = find_interface(*call.prev_result, link.name, "");
  return recorded != nullptr && Mac::parse(recorded->mac) == link.mac;
}

}  // namespace

/// ifbs go by alias alone. Veths of versions and plugins that set no alias are known by prevResult.
void remove_leftovers(const Call& call, Host& host) {
  Errors errors;
  errors.attempt([&] { remove_elements(call.key.comment(), host.nft()); });
  errors.attempt([&] { restore_idle_localnets(host); });
  errors.attempt([&] {
    const std::string alias = call.key.alias();
    for (const net::Link& link : net::list_links(host.host_links(), "ifb")) {
      if (link.alias != alias) continue;
      errors.attempt([&] { net::remove_link(host.host_links(), link.index); });
    }
    for (const net::Link& link : net::list_links(host.host_links(), "veth")) {
      const bool tells_nothing = link.alias.empty() || call.key.may_be_cut_alias(link.alias);
      const bool ours = link.alias == alias || (tells_nothing && is_recorded(link, call));
      if (ours) errors.attempt([&] { net::remove_link(host.host_links(), link.index); });
    }
  });
  errors.finish();
}

/// For a member whose module is gone: nobody else knows the names that the reference computes.
void remove_reference_leftovers(const Call& call, Host& host, Ipam* ipam) {
  net::ReferenceMasquerade reference{call.key, {}, host.container_netns() == nullptr};
  if (call.prev_result) {
    for (const IpConfig& ip : call.prev_result->ips) {
      reference.addresses.push_back(ip.address.address());
    }
  }
  if (reference.addresses.empty() && ipam != nullptr && ipam->given()) {
    reference.addresses = ipam->held().value_or(std::vector<IpAddress>());
  }
  Errors errors;
  errors.attempt([&] { net::remove_reference_masquerade(host.nft(), reference, call.deadline); });
  errors.attempt([&] {
    // Chains named after the interface are backend iptables' of ours, and in the journal.
    const AttachmentKey of_reference{call.key.network, call.key.container_id, {}};
    net::remove_reference_ports(
        host.nft(),
        {of_reference, reference.addresses, reference.container_is_gone,
         [&] { return has_iptables_ports_of_sibling(host.attachments(), call.key); }},
        call.deadline);
  });
  errors.attempt([&] {
    constexpr const char* kAdminChain = "CNI-ADMIN";  // unless configured, which nobody can read
    net::remove_iptables_firewall(
        host.nft(), reference.addresses, kAdminChain,
        [&](const IpAddress& address) {
          return is_anothers(host.attachments(), call.key.of_network(), address);
        },
        call.deadline);
  });
  errors.finish();
}

/// A result that names another host end than the records do is of a later attachment, by another
/// program, under the same names.
bool are_of_prev_result(const std::vector<Undo>& records, const Call& call) {
  if (!call.prev_result) return true;
  const auto is_recorded = [&](const std::string& name) {
    return std::any_of(records.begin(), records.end(), [&](const Undo& record) {
      return record.type == "veth" && undo::optional_field(record, "name") == name;
    });
  };
  const auto& interfaces = call.prev_result->interfaces;
  return std::all_of(interfaces.begin(), interfaces.end(), [&](const Interface& each) {
    return !each.sandbox.empty() || !is_host_end_name(each.name) || is_recorded(each.name);
  });
}

}  // namespace unicni::chain
