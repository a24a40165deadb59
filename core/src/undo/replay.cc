// Undoes records in the right order, whatever fails on the way: first rules and elements,
// then objects from the latest to the earliest.
#include "undo/replay.h"

#include <algorithm>
#include <iterator>

#include "undo/kinds.h"
#include "undo/record_fields.h"

namespace unicni::undo {
namespace {

/// The later record of a device knows it better: by an index of its own, where the earlier one
/// could take another link for it.
bool is_superseded(const Undo& record, const std::vector<Undo>& records) {
  return record.type == kDeviceKind.type &&
         std::any_of(&record + 1, records.data() + records.size(), [&](const Undo& later) {
           return later.type == kDeviceKind.type &&
                  optional_field(later, "name") == optional_field(record, "name");
         });
}

}  // namespace

Replay::Replay(const Undoing& undoing)
    : undoing_(undoing), records_(undoing.step), left_(records_.size()) {}

/// A record "on failure only" is of something shared that outlives its maker, such as the bridge:
/// DEL leaves it.
bool Replay::applies(const Undo& record) const {
  if (is_superseded(record, records_)) return false;
  return undoing_.why == Why::failed_add || !record.on_failure_only;
}

/// What can't be undone keeps nothing else from it; the errors are collected.
void Replay::undo(const UndoKind& kind, const std::vector<Undo>& records) {
  attempt([&] { kind.undo(records, undoing_); });
}

/// All of a turn that comes before the objects, each kind's records together.
void Replay::undo_turn(Turn turn) {
  for (const UndoKind* kind : kinds()) {
    if (kind->turn != turn) continue;
    std::vector<Undo> of_kind;
    std::copy_if(records_.rbegin(), records_.rend(), std::back_inserter(of_kind),
                 [&](const Undo& record) { return find_kind(record) == kind && applies(record); });
    if (!of_kind.empty()) undo(*kind, of_kind);
  }
}

/// Elements of nftables go first, in one transaction: the kernel frees them after a grace period,
/// which then runs beside the removal of the links. Objects follow, latest first.
std::optional<Replay::Program> Replay::next_program() {
  if (!begun_) {
    begun_ = true;
    for (const Turn turn : {Turn::elements, Turn::iptables, Turn::firewalld}) undo_turn(turn);
  }
  while (left_ > 0) {
    const Undo& record = records_[--left_];
    if (!applies(record)) continue;
    const UndoKind* kind = find_kind(record);
    // A later version wrote it. It stays in the journal for that version.
    if (kind == nullptr) {
      kept_.push_back(record);
    } else if (kind == &kDelegateKind) {
      std::optional<Program> program;
      attempt([&] {
        program = Program{field(record, "type"), field(record, "program"), field(record, "request"),
                          left_ + 1 == records_.size()};
      });
      if (program) return program;
    } else if (kind->turn == Turn::objects) {
      undo(*kind, {record});
    }
  }
  return std::nullopt;
}

std::vector<Undo> Replay::kept() const { return {kept_.rbegin(), kept_.rend()}; }

}  // namespace unicni::undo
