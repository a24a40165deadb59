// "delegate": a plugin that is a program. Its record is the request of its DEL. Core's undo can run
// no programs, as that needs locks to be let go first, so replay returns such records to its
// caller.
#include "unicni/undo/delegate.h"

#include <fmt/core.h>

#include "undo/kinds.h"
#include "undo/record_fields.h"
#include "unicni/error.h"

namespace unicni {

Undo undo_delegate(const std::string& type, const std::string& program,
                   const std::string& request) {
  return Undo{"delegate", 1, false, {{"type", type}, {"program", program}, {"request", request}}};
}

}  // namespace unicni

namespace unicni::undo {
namespace {

/// Only the program knows.
Found find(const Undo&, Undoing&) { return Found::ours; }

/// Replay hands such records to its caller, who can run programs.
void undo_all(const std::vector<Undo>& records, Undoing&) {
  for (const Undo& record : records) {
    throw Error(Code::internal, fmt::format("{} is not for undo to run", field(record, "program")));
  }
}

std::string describe(const Undo& record) {
  return fmt::format("what {} did ({})", field(record, "type"), field(record, "program"));
}

}  // namespace

const UndoKind kDelegateKind = {"delegate", Turn::objects, &find, &undo_all, &describe};

}  // namespace unicni::undo
