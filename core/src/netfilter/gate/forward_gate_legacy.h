// The gate of forward_gate.h in iptables-legacy's table filter, where a host has one. Shaped alike:
// FORWARD → CNI-FORWARD → the administrator's chain, then accept by mark. Changed by one
// iptables-legacy-restore a family; whether it is there still is read without a program.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "base/services.h"
#include "unicni/ip.h"

namespace unicni::net {

/// Where it is noted which table was seen to be whole, so that ADD needn't read it again: boot,
/// namespace, and the table's size. Hidden: the other files of that folder are the journal.
inline std::string legacy_gate_note(const Folders& folders) {
  return folders.run + "/.forward-legacy";
}

/// ADD: makes what is missing, if the tables aren't those of the note. Two files of /proc are all
/// that a host without legacy tables costs; one with them a question for each table's size.
/// Returns what stays closed for want of a program, where packets may pass all the same: to be
/// warned of. Throws Error: also for want of a program where FORWARD's policy is DROP.
std::optional<std::string> ensure_legacy_gate(const std::string& admin_chain,
                                              const Services& services);

/// GC, STATUS: the same, but it reads the tables whatever the note says.
std::optional<std::string> repair_legacy_gate(const std::string& admin_chain,
                                              const Services& services);

/// Where the gate has to be.
struct GateNeed {
  /// Where a FORWARD chain is; or only if a packet that doesn't meet the gate may be dropped there,
  /// by the policy, or by a rule in it or in a chain that it leads to.
  enum class Where : unsigned char { always, may_drop };
  Where where = Where::always;
  std::set<Family> families = {Family::v4, Family::v6};
};

/// CHECK: reads the tables of these families, as what was changed may have the same size.
std::optional<std::string> find_legacy_gate_fault(const std::string& admin_chain,
                                                  const GateNeed& need, const Folders& folders);

/// The last attachment is gone. False: there was no gate. Throws Error.
bool remove_legacy_gate(const std::string& admin_chain, const Services& services);

/// There is a table that might have the gate.
bool may_have_legacy_gate();

}  // namespace unicni::net
