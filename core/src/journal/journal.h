// The attachment journal: one file an attachment, an undo log as data. core/ARCHITECTURE.md,
// "Journal". Its folder (Folders::journals()) has entries and nothing else. Versions before 0.2 had
// them in its parent: one that is found there is read, locked, written on and removed in its place,
// as their program may still run.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/deadline.h"
#include "unicni/sys/lock.h"
#include "unicni/undo.h"

namespace unicni::journal {

/// File name of a key inside the folder: "<network>:<container>:<ifname>", each with ':', '/', '%',
/// '~', blanks and control bytes as %XX; a name beyond 200 bytes is cut and gets '~' and a hash.
/// The key inside the file is what counts.
std::string file_name(const AttachmentKey& key);

/// Where and when the state exists; an entry of another boot or another host namespace is nobody's.
struct Place {
  std::string boot_id;
  std::string host_netns;  ///< net::Netlink::identity()
  friend bool operator==(const Place&, const Place&) = default;
};

/// One step of the attachment: what one member of its list was asked, changed and answered.
struct RecordedStep {
  std::string type;        ///< which plugin
  std::string config;      ///< its request, as given on ADD
  std::vector<Undo> undo;  ///< in order of time
  std::string result;  ///< JSON of its result, of a step inside a list "{}"; empty: ADD did not end
  /// Names the step inside its file: how many were begun there before it.
  std::size_t id = 0;
  /// Its place in the list of a request of type "unicni"; nullopt: a runtime called it alone.
  std::optional<std::size_t> ordinal = {};
  std::string args = {};             ///< CNI_ARGS of its ADD
  std::string container_netns = {};  ///< identity of the namespace its ADD saw; empty: of none
  std::string netns_path = {};       ///< CNI_NETNS of its ADD
};

struct Entry {
  AttachmentKey key;
  Place place;
  std::string container_netns;  ///< of the step begun last; a file may hold steps of earlier lives
  std::string netns_path;       ///< in the same way
  std::vector<RecordedStep> steps;
  std::size_t begun = 0;  ///< how many steps were ever begun in the file
};

/// Text form: one header line, then one line a record, each "<type> key=value …" with
/// percent-escapes and a checksum at its end. A torn last line (power cut, kill -9) is dropped: its
/// change was not made yet. Anything else that is wrong: nullopt.
std::optional<Entry> parse_entry(std::string_view text);
std::string print_entry(const Entry& entry);

/// What a verb opens an entry for.
enum class Access {
  add,  ///< must be writable: ADD writes down what it is going to change
  /// DEL and GC: an absent entry is made for the time that it is open, to keep ADD out. A damaged
  /// one and one of another boot go when it is closed.
  removal,
  look,  ///< an absent entry stays absent
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
                         std::optional<std::size_t> ordinal = {}, const std::string& args = {});
  /// ADD: goes on with a step that was begun before the entry was closed and opened again. False:
  /// it isn't the last one there, or has ended.
  bool resume_step(std::size_t id, const std::string& type);
  void record(const Undo& undo);             ///< appends to the step begun last; throws Error
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

/// What an entry says now, unlocked: a verb may be working on it. nullopt: there is none, or it
/// can't be read.
std::optional<Entry> peek(const std::string& folder, const AttachmentKey& key);
/// The entries of all networks, in the same way, until `wants_more` says no.
void peek_each(const std::string& folder, const std::function<bool(const Entry&)>& wants_more);
/// As many of them as `most`, others each time (by the clock).
void peek_some(const std::string& folder, std::size_t most,
               const std::function<bool(const Entry&)>& wants_more);
/// All of them.
std::vector<Entry> peek_all(const std::string& folder);
/// What the entries of one container say, of all its networks, in the same way. Reads no others,
/// except those whose names were cut.
std::vector<Entry> peek_container(const std::string& folder, const std::string& container_id);
/// Keys of the other entries of `key`'s network and container: other interfaces of it.
std::vector<AttachmentKey> list_siblings(const std::string& folder, const AttachmentKey& key);
/// Keys of all entries of one network (from file names, checked against the header).
std::vector<AttachmentKey> list_keys(const std::string& folder, const std::string& network);

}  // namespace unicni::journal
