// The attachment journal: one file an attachment in /run/unicni, an undo log as data.
// core/ARCHITECTURE.md, "Journal".
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/call.h"
#include "unicni/sys/lock.h"
#include "unicni/undo.h"

namespace unicni::journal {

inline constexpr const char* kFolder = "/run/unicni";

/// What names an attachment.
struct Key {
  std::string network;
  std::string container_id;
  std::string if_name;
  friend bool operator==(const Key&, const Key&) = default;
};

/// File name of a key inside the folder: "<network>:<container>:<ifname>", each with ':', '/', '%',
/// '~', blanks and control bytes as %XX; a name beyond 200 bytes is cut and gets '~' and a hash.
/// The key inside the file is what counts.
std::string file_name(const Key& key);

/// Where and when the state exists; an entry of another boot or another host namespace is nobody's.
struct Place {
  std::string boot_id;
  std::string host_netns;  ///< net::Netlink::identity()
  friend bool operator==(const Place&, const Place&) = default;
};

/// One step of the attachment, as one plugin type wrote it.
struct Step {
  std::string type;        ///< which plugin
  std::string config;      ///< its request, as given on ADD
  std::vector<Undo> undo;  ///< in order of time
  std::string result;  ///< JSON of its result, of a step inside a list "{}"; empty: ADD did not end
};

struct Entry {
  Key key;
  Place place;
  std::string container_netns;  ///< identity of the container's namespace; empty if none was opened
  std::string netns_path;       ///< CNI_NETNS of ADD
  std::vector<Step> steps;
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
  /// can't be written throws Error; otherwise the journal is then just empty: usable() is false.
  /// Throws Error (Code::try_again, naming the holder) if it stays locked until `deadline`.
  static Journal open(const std::string& folder, const Key& key, const Place& place,
                      Deadline deadline, Access access);
  Journal(Journal&&) noexcept;
  Journal& operator=(Journal&&) noexcept;
  ~Journal();

  /// What is there: of this boot, this host namespace and this key; nullptr if no step (or
  /// unreadable, torn header). Follows the changes below, so what it points to ends with
  /// forget_steps().
  [[nodiscard]] const Entry* entry() const;
  [[nodiscard]] bool usable() const;

  /// ADD: starts the section of a plugin type; overwrites what is nobody's. Empty
  /// `container_netns`: the step opens none. Throws Error.
  void begin_step(const std::string& type, const std::string& config,
                  const std::string& container_netns, const std::string& netns_path);
  /// ADD: goes on with a step that was begun before the entry was closed and opened again. False:
  /// it isn't the last one there, or has ended.
  bool resume_step(const std::string& type);
  void record(const Undo& undo);             ///< appends to the step begun last; throws Error
  void end_step(const std::string& result);  ///< ADD of that step succeeded
  /// After its undo: forgets the steps of `type`; with the last one the file goes (with ADD and
  /// removal by the destructor, unless a step was begun again). Never throws: what can't be
  /// forgotten is replayed once more by a later verb and finds nothing.
  void forget_steps(const std::string& type);

 private:
  struct File;
  explicit Journal(std::unique_ptr<File> file);
  std::unique_ptr<File> file_;
};

/// What an entry says now, unlocked: a verb may be working on it. nullopt: there is none, or it
/// can't be read.
std::optional<Entry> peek(const std::string& folder, const Key& key);
/// The entries of all networks, in the same way, until `wants_more` says no.
void peek_each(const std::string& folder, const std::function<bool(const Entry&)>& wants_more);
/// All of them.
std::vector<Entry> peek_all(const std::string& folder);
/// Keys of the other entries of `key`'s network and container: other interfaces of it.
std::vector<Key> list_siblings(const std::string& folder, const Key& key);
/// Keys of all entries of one network (from file names, checked against the header).
std::vector<Key> list_keys(const std::string& folder, const std::string& network);

}  // namespace unicni::journal
