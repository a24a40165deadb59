// The undo log of one step while it acts: in memory for the roll-back, in the journal for
// everything later.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chain/request.h"
#include "chain/step.h"
#include "chain/verb_host.h"
#include "journal/journal.h"
#include "undo/kind.h"
#include "unicni/errors.h"

namespace unicni::chain {

/// Keeps records in memory only.
class Memory : public UndoLog {
 public:
  void announce(const Undo& record) override { records_.push_back(record); }
  [[nodiscard]] const std::vector<Undo>& records() const { return records_; }

 private:
  std::vector<Undo> records_;
};

/// Writes each record to the journal before it is remembered. Of what other steps in the namespace
/// have set already it is the top layer (undo/sysctl_layers.h).
class Recorder final : public Memory {
 public:
  /// The journal, one of `folder`, may be closed for a time, and opened again in the same place.
  Recorder(std::string folder, std::optional<journal::Journal>& journal)
      : folder_(std::move(folder)), journal_(journal) {}
  void announce(const Undo& record) override;

 private:
  const std::string folder_;
  std::optional<journal::Journal>& journal_;
  /// Of the container's other attachments, which nobody changes during this ADD.
  std::optional<std::vector<journal::Entry>> others_;
};

/// The journal entry of an attachment, opened and locked by `deadline`, or within half of the time
/// that is left. For a DEL an ADD that has it and waits for a lease is ended. Throws
/// Error(try_again): somebody else has it.
journal::Journal open_journal(const Request& request, VerbHost& host, const AttachmentKey& key,
                              journal::Access access, std::optional<Deadline> deadline = {});

struct Undone {
  Errors errors;
  std::vector<Undo> kept;  ///< what only a newer program can undo; a warning tells of it
  /// Whether the records may be forgotten, but for those that are kept.
  [[nodiscard]] bool clean() const { return errors.empty(); }
};

/// What a step of the journal, as the verb found it, announced, undone: as a failed ADD's if that
/// never ended. `elsewhere`: in the namespace that its ADD saw, if that is still there, and in no
/// other; afterwards back in CNI_NETNS, if that `is_ours`.
struct Where {
  bool elsewhere;
  bool is_ours = true;
};
Undone undo_step(const journal::Entry& entry, const journal::RecordedStep& recorded, Where where,
                 const Request& request, VerbHost& host, const Step* step);

/// Undoes records and runs the DEL of delegates that are programs. `step` is told what was run (it
/// may be nullptr).
Undone undo_records(const std::vector<Undo>& records, undo::Why why, const Request& request,
                    VerbHost& host, const Step* step);

}  // namespace unicni::chain
