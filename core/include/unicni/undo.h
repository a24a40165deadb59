// The undo log: what an attachment changed, written down before each change. It is both the
// roll-back of a failed ADD and, kept in the journal, the memory of DEL, GC and the verb after a
// crash. Core undoes records without the module.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace unicni {

/// One change to undo. Typed by name and version with named text fields, so that older and newer
/// programs can read each other's journals; made by the functions of unicni/undo/,
/// interpreted by core/src/undo/, a file a type.
struct Undo {
  std::string type;  ///< "veth", "file" …; [a-z0-9-]
  unsigned version = 1;
  bool on_failure_only = false;  ///< true: undone when ADD fails, but stays after DEL (the bridge)
  std::vector<std::pair<std::string, std::string>> fields;
  friend bool operator==(const Undo&, const Undo&) = default;
};

/// Where changes are announced.
class UndoLog {
 public:
  virtual ~UndoLog();
  /// Writes the record down. Call it right before the change. Throws Error if it can't be written:
  /// then don't change.
  virtual void announce(const Undo& record) = 0;
};

}  // namespace unicni
