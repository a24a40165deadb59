// What the journal of an attachment says, and its text form: lines, and reading them with what an
// open file has to know of their places.
//
//   unicni-journal version=1 network=… container=… if_name=… boot=… host_netns=…
//   step type=bridge config=… member=0 args=… container_netns=… netns=… asked=… source=…
//   delegate config=…                              of the plugin that the step gives its work to
//   undo type=veth version=1 .name=… .alias=…     a field of the record has a dot before its key
//   done result=…
//   forget id=0                                    the first step that was begun here was undone
//   forget type=bridge                             all of that type (versions before 0.2)
//
// Lines of a kind that we don't know come from a newer program and are skipped, as are keys. A
// header of another version is one of a newer program as well: the file is kept.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unicni/attachment_key.h"
#include "unicni/undo.h"

namespace unicni::journal {

/// Where and when the state exists; an entry of another boot or another host namespace is nobody's.
struct Place {
  std::string boot_id;
  std::string host_netns;  ///< identity of the network namespace that is the host's
  friend bool operator==(const Place&, const Place&) = default;
};

/// One step of the attachment: what one member of its list was asked, changed and answered.
struct RecordedStep {
  std::string type;        ///< which plugin
  std::string config;      ///< its request, as its ADD worked by it
  std::vector<Undo> undo;  ///< in order of time
  std::string result;  ///< JSON of its result, of a step inside a list "{}"; empty: ADD did not end
  /// Names the step inside its file: how many were begun there before it.
  std::size_t id = 0;
  /// Its place in the list of a request of type "unicni"; nullopt: a runtime called it alone.
  std::optional<std::size_t> ordinal = {};
  std::string args = {};             ///< CNI_ARGS of its ADD
  std::string container_netns = {};  ///< identity of the namespace its ADD saw; empty: of none
  std::string netns_path = {};       ///< CNI_NETNS of its ADD
  /// What its ADD was asked for, where policies made `config` of it; "": the same.
  std::string asked = {};
  std::string source = {};    ///< what made the configuration: chain, rules; for people
  std::string delegate = {};  ///< effective configuration of its delegate, where policies made it
};

struct Entry {
  AttachmentKey key;
  Place place;
  std::string container_netns;  ///< of the step begun last; a file may hold steps of earlier lives
  std::string netns_path;       ///< in the same way
  std::vector<RecordedStep> steps;
  std::size_t begun = 0;  ///< how many steps were ever begun in the file
};

inline constexpr std::size_t kEntryLimit = 64U << 20U;  ///< bytes of a file that are read at most

/// Text form: one header line, then one line a record, each "<type> key=value …" with
/// percent-escapes and a checksum at its end. A torn last line (power cut, kill -9) is dropped: its
/// change was not made yet. Anything else that is wrong: nullopt.
std::optional<Entry> parse_entry(std::string_view text);
std::string print_entry(const Entry& entry);

struct EntryText {
  Entry entry;
  std::size_t header_size = 0;  ///< bytes of the first line
  std::size_t size = 0;  ///< bytes up to the end of the last whole line; a torn one may follow
};

/// parse_entry() with the places.
std::optional<EntryText> read_entry(std::string_view text);
/// Whether the first line is the header of a newer program's file.
bool is_of_future(std::string_view text);
/// The key of the first line alone; what follows it isn't looked at.
std::optional<AttachmentKey> read_key(std::string_view text);

std::string header_line(const Entry& entry);
/// Of all but undo records and result; names the container's namespace only where it isn't
/// `entry`'s.
std::string step_line(const Entry& entry, const RecordedStep& step);
std::string undo_line(const Undo& undo);
std::string delegate_line(const std::string& config);
std::string done_line(const std::string& result);
std::string forget_line(std::size_t id);

/// What a step line says, applied to `entry`: a step with the next id, in the namespace that was
/// said last.
RecordedStep& put_step(Entry& entry, RecordedStep step);
/// The step of that id; nullptr: there is none.
RecordedStep* find_step(Entry& entry, std::size_t id);

}  // namespace unicni::journal
