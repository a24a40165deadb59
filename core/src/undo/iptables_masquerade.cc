// "iptables-masquerade": chain and rules of "ipMasqBackend": "iptables", under the reference's
// names.
#include "unicni/undo/iptables_masquerade.h"

#include <fmt/core.h>

#include "undo/iptables_records.h"
#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/netfilter/reference_rules.h"

namespace unicni {

Undo undo_iptables_masquerade(const net::IptablesMasquerade& masquerade) {
  return Undo{"iptables-masquerade",
              1,
              false,
              {{"network", masquerade.key.network},
               {"container", masquerade.key.container_id},
               {"if_name", masquerade.key.if_name},
               {"addresses", undo::listed(masquerade.addresses)}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// The chain is the attachment's own. Its subnets aren't in the record, so only addresses tell.
Found find(const Undo& record, Undoing& undoing) {
  net::IptablesMasquerade masquerade{
      {field(record, "network"), field(record, "container"), field(record, "if_name")}, {}};
  for (const IpAddress& address : addresses_of(record)) {
    masquerade.addresses.emplace_back(address, address.bits());
  }
  const bool is_there =
      net::has_iptables_masquerade(undoing.host.nft(), masquerade, iptables_deadline());
  return is_there ? Found::ours : Found::absent;
}

void undo_one(const Undo& record, Undoing& undoing) {
  net::remove_reference_masquerade(
      undoing.host.nft(),
      {{field(record, "network"), field(record, "container"), field(record, "if_name")},
       addresses_of(record)},
      iptables_deadline());
}

std::string describe(const Undo& record) {
  return fmt::format("iptables masquerade of {}", field(record, "addresses"));
}

}  // namespace

const UndoKind kIptablesMasqueradeKind = {"iptables-masquerade", Turn::iptables, &find,
                                          &each<undo_one>, &describe};

}  // namespace unicni::undo
