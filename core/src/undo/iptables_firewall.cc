// "iptables-firewall": rules of backend iptables. The reference's rules name an address and no
// owner, so they are removed only if the address isn't another's by now.
#include "unicni/undo/iptables_firewall.h"

#include <fmt/core.h>

#include <algorithm>

#include "undo/iptables_records.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/error.h"
#include "unicni/netfilter/iptables_firewall_removal.h"

namespace unicni {

Undo undo_iptables_firewall(const net::IptablesFirewall& firewall) {
  return Undo{"iptables-firewall",
              1,
              false,
              {{"network", firewall.key.network},
               {"container", firewall.key.container_id},
               {"if_name", firewall.key.if_name},
               {"admin_chain", firewall.admin_chain},
               {"addresses", undo::listed(firewall.addresses)}}};
}

/// Reservations are asked first: host-local knows surely, in one look at a file. For other IPAM
/// plugins the journals must tell.
bool is_anothers(Attachments& attachments, const Attachment& owner, const IpAddress& address) {
  if (const auto reserved = attachments.is_reserved_for(owner, address)) return !*reserved;
  const auto records = attachments.list_records(undo::kIptablesFirewallKind.type, Steps::all);
  return std::any_of(records.begin(), records.end(), [&](const auto& each) {
    if (each.by.of_network() == owner || undo::find_kind(each.record) == nullptr) return false;
    try {
      const auto addresses = undo::addresses_of(each.record);
      return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
    } catch (const Error&) {
      return false;  // damaged: it says nothing
    }
  });
}

}  // namespace unicni

namespace unicni::undo {
namespace {

Found find(const Undo& record, Undoing& undoing) {
  net::IptablesFirewall firewall;
  firewall.key = {field(record, "network"), field(record, "container"), field(record, "if_name")};
  firewall.addresses = addresses_of(record);
  firewall.admin_chain = field(record, "admin_chain");
  const Attachment owner = firewall.key.of_network();
  const bool is_theirs = std::any_of(
      firewall.addresses.begin(), firewall.addresses.end(), [&](const IpAddress& address) {
        return is_anothers(undoing.host.attachments(), owner, address);
      });
  if (is_theirs) return Found::others;
  const auto fault =
      net::find_iptables_firewall_fault(undoing.host.nft(), firewall, iptables_deadline());
  return fault ? Found::absent : Found::ours;
}

void undo_one(const Undo& record, Undoing& undoing) {
  const Attachment owner{field(record, "container"), field(record, "if_name")};
  net::remove_iptables_firewall(
      undoing.host.nft(), addresses_of(record), field(record, "admin_chain"),
      [&](const IpAddress& address) {
        return is_anothers(undoing.host.attachments(), owner, address);
      },
      iptables_deadline());
}

std::string describe(const Undo& record) {
  return fmt::format("iptables rules that let {} through", field(record, "addresses"));
}

}  // namespace

const UndoKind kIptablesFirewallKind = {"iptables-firewall", Turn::iptables, &find, &each<undo_one>,
                                        &describe};

}  // namespace unicni::undo
