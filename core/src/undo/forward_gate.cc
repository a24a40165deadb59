// "forward-gate": the rules in foreign FORWARD chains that let marked packets through. All
// attachments of the host share them; they go with the last one.
#include "unicni/undo/forward_gate.h"

#include <fmt/core.h>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/netfilter/forward_gate.h"

namespace unicni {

Undo undo_forward_gate(const std::string& admin_chain) {
  return Undo{"forward-gate", 1, false, {{"admin_chain", admin_chain}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// Whether somebody still needs it is found out when it is taken away, under one generation of the
/// ruleset.
Found find(const Undo& record, Undoing& undoing) {
  const auto fault = net::find_forward_gate_fault(undoing.host.nft(), field(record, "admin_chain"));
  return fault ? Found::absent : Found::ours;
}

void undo_one(const Undo& record, Undoing& undoing) {
  net::remove_idle_forward_gate(undoing.host.nft(), field(record, "admin_chain"));
}

std::string describe(const Undo& record) {
  return fmt::format("gate of the FORWARD chains with the administrator's chain {}",
                     field(record, "admin_chain"));
}

}  // namespace

const UndoKind kForwardGateKind = {"forward-gate", Turn::objects, &find, &each<undo_one>,
                                   &describe};

}  // namespace unicni::undo
