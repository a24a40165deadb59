// What core knows of one kind of undo record. Each kind has a file of its own, which defines its
// maker (unicni/undo/<kind>.h) and one constant of this type (undo/kinds.h).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "unicni/daemon.h"
#include "unicni/deadline.h"
#include "unicni/undo.h"
#include "unicni/undo/host_kernel.h"

namespace unicni::undo {

enum class Why : unsigned char { failed_add, removal };  ///< removal: DEL, GC; see on_failure_only

/// What undoing one attachment's records has to work with.
struct Undoing {
  HostKernel& host;
  Why why;
  Deadline deadline;
  /// All records of the step, in the order of time: some kinds need others to understand their own.
  const std::vector<Undo>& step;
  Daemons& daemons;  ///< the verb's
};

/// What became of what a record is about.
enum class Found : unsigned char {
  absent,  ///< nothing to undo: it is gone, was never made, or what it replaced is back
  ours,    ///< undo it
  others,  ///< something is in its place that somebody else made, or uses
};

/// The order of undoing: an earlier turn comes first, and inside of it the latest record.
enum class Turn : unsigned char {
  /// Elements of our sets, all in one transaction. First of all, so that the kernel's grace period
  /// for them runs while the links go: after a deletion from nftables the socket's close waits 8 to
  /// 15 ms, which a link deletion in between hides.
  elements,
  iptables,   ///< rules that lead to addresses: before the addresses are free
  firewalld,  ///< the same; all by one connection
  objects,    ///< everything else
};

/// The newest Undo::version that this program understands, of every kind.
inline constexpr unsigned kKnownVersion = 1;

struct UndoKind {
  std::string_view type;  ///< Undo::type
  Turn turn = Turn::objects;
  /// Looks, and changes nothing. Throws Error if the record is damaged or can't be looked up.
  Found (*find)(const Undo& record, Undoing& undoing);
  /// Undoes what find() calls `ours`; what is absent or somebody else's is left without an error.
  /// Throws Error. For turns that are done together: records of that kind, latest first.
  void (*undo)(const std::vector<Undo>& records, Undoing& undoing);
  /// For people, as in "veth veth1a2b3c4d on the host".
  std::string (*describe)(const Undo& record);
};

/// Makes an UndoKind::undo out of what undoes one record.
template <void (*One)(const Undo&, Undoing&)>
void each(const std::vector<Undo>& records, Undoing& undoing) {
  for (const Undo& record : records) One(record, undoing);
}

}  // namespace unicni::undo
