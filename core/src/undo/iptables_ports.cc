// "iptables-ports": chains and rules of ports that backend iptables published. The reference names
// the chain after network and container, so attachments of one container share it.
#include "unicni/undo/iptables_ports.h"

#include <fmt/core.h>

#include <algorithm>

#include "undo/iptables_records.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/netfilter/iptables_ports_removal.h"

namespace unicni {

Undo undo_iptables_ports(const net::IptablesPorts& ports) {
  return Undo{std::string(undo::kIptablesPortsKind.type),
              1,
              false,
              {{"network", ports.key.network},
               {"container", net::iptables_chain_owner(ports)},
               {"if_name", ports.key.if_name}}};
}

/// A sibling that is gone doesn't count: nobody would remove the chain after it.
bool has_iptables_ports_of_sibling(Attachments& attachments, const AttachmentKey& key) {
  const auto records = attachments.list_records_of_siblings(key, undo::kIptablesPortsKind.type);
  return std::any_of(records.begin(), records.end(), [&](const auto& each) {
    return undo::optional_field(each.record, "container") == key.container_id &&
           !attachments.is_gone(each.by.owner());
  });
}

std::optional<bool> is_iptables_ports_chain_void(Attachments& attachments,
                                                 const std::string& chain) {
  std::optional<bool> is_void;
  for (const auto& each : attachments.list_records(undo::kIptablesPortsKind.type, Steps::all)) {
    const std::string network(undo::optional_field(each.record, "network"));
    const std::string owner(undo::optional_field(each.record, "container"));
    if (net::iptables_ports_chain(network, owner) != chain) continue;
    if (!attachments.is_gone(each.by.owner())) return false;
    is_void = true;
  }
  return is_void;
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// Older records have no interface, and nobody else had the chain then.
bool is_of_sibling(const Undo& record, Undoing& undoing, const std::string& chain_owner) {
  const std::string if_name(optional_field(record, "if_name"));
  return !if_name.empty() &&
         has_iptables_ports_of_sibling(undoing.host.attachments(),
                                       {field(record, "network"), chain_owner, if_name});
}

Found find(const Undo& record, Undoing& undoing) {
  const std::string& owner = field(record, "container");
  const bool is_there =
      net::has_iptables_ports_chain(undoing.host.nft(), field(record, "network"), owner);
  if (!is_there) return Found::absent;
  return is_of_sibling(record, undoing, owner) ? Found::others : Found::ours;
}

void undo_one(const Undo& record, Undoing& undoing) {
  net::remove_iptables_ports(
      undoing.host.nft(), field(record, "network"), {field(record, "container")},
      iptables_deadline(),
      [&](const std::string& owner) { return !is_of_sibling(record, undoing, owner); });
}

std::string describe(const Undo& record) {
  return fmt::format("iptables rules of the ports that {} publishes on network {}",
                     field(record, "container"), field(record, "network"));
}

}  // namespace

const UndoKind kIptablesPortsKind = {"iptables-ports", Turn::iptables, &find, &each<undo_one>,
                                     &describe};

}  // namespace unicni::undo
