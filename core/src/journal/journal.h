// The attachment journal: one file an attachment, an undo log as data. core/ARCHITECTURE.md,
// "Journal". Its folder (Folders::journals()) has entries and nothing else. Versions before 0.2 had
// them in its parent: one that is found there is read, locked, written on and removed in its place,
// as their program may still run.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "journal/entry.h"
#include "unicni/attachment_key.h"
#include "unicni/deadline.h"
#include "unicni/sys/lock.h"
#include "unicni/undo.h"

namespace unicni::journal {

/// What a verb opens an entry for.
enum class Access {
  add,  ///< must be writable: ADD writes down what it is going to change
  /// DEL and GC: an absent entry is made for the time that it is open, to keep ADD out. A damaged
  /// one and one of another boot go when it is closed.
  removal,
  look,  ///< an absent entry stays absent
};

/// Where a step's configuration comes from, if not just from its request (RecordedStep).
struct Origin {
  std::string asked = {};
  std::string source = {};
};

/// An open journal file: locked against other verbs of the same attachment until destroyed.
class Journal {
 public:
  /// Opens or creates the entry of `key` and locks it. With Access::add a folder or file that
  /// can't be written, or is others' too, throws Error; otherwise the journal is then just empty:
  /// usable() is false. Throws Error (Code::try_again, naming the holder) if it stays locked until
  /// `deadline`.
  static Journal open(const std::string& folder, const AttachmentKey& key, const Place& place,
                      Deadline deadline, Access access);
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) noexcept;
  ~Journal();

  /// What is there: of this boot, this host namespace and this key; nullptr if no step (or
  /// unreadable, torn header). Follows the changes below, so what it points to ends with
  /// forget_step().
  [[nodiscard]] const Entry* entry() const;
  [[nodiscard]] bool usable() const;
  /// Why it isn't usable, if folder or file are not to be trusted (journal/trust.h), else empty.
  [[nodiscard]] const std::string& complaint() const;

  /// Whether a newer program wrote the file in a form that this one can't read: it is kept, and ADD
  /// throws.
  [[nodiscard]] bool is_of_future() const;

  /// ADD: starts the section of a step and returns its id; overwrites what is nobody's. Empty
  /// `container_netns`: there is none. Throws Error.
  std::size_t begin_step(const std::string& type, const std::string& config,
                         const std::string& container_netns, const std::string& netns_path,
                         std::optional<std::size_t> ordinal = {}, const std::string& args = {},
                         const Origin& origin = {});
  /// ADD: goes on with a step that was begun before the entry was closed and opened again. False:
  /// it isn't the last one there, or has ended.
  bool resume_step(std::size_t id, const std::string& type);
  void record(const Undo& undo);  ///< appends to the step begun last; throws Error
  /// Of the step begun last: RecordedStep::delegate. Throws Error.
  void record_delegate(const std::string& config);
  void end_step(const std::string& result);  ///< ADD of that step succeeded
  /// After its undo: forgets the step but for the records `kept`, which a newer program will know;
  /// with the last step the file goes (with ADD and removal by the destructor, unless a step was
  /// begun again). No such step of `type`: nothing. Never throws: what can't be forgotten is
  /// replayed once more by a later verb and finds nothing.
  void forget_step(std::size_t id, const std::string& type, const std::vector<Undo>& kept = {});

 private:
  struct File;
  explicit Journal(std::unique_ptr<File> file);
  std::unique_ptr<File> file_;
};

}  // namespace unicni::journal
