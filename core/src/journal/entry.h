// The text form of an entry: its lines, and reading them with what an open file has to know of
// their places.
//
//   unicni-journal version=1 network=… container=… if_name=… boot=… host_netns=…
//   step type=bridge config=… member=0 args=… container_netns=… netns=…
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

#include "journal/journal.h"

namespace unicni::journal {

inline constexpr std::size_t kEntryLimit = 64U << 20U;  ///< bytes of a file that are read at most

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
std::string done_line(const std::string& result);
std::string forget_line(std::size_t id);

/// What a step line says, applied to `entry`: a step with the next id, in the namespace that was
/// said last.
RecordedStep& put_step(Entry& entry, RecordedStep step);
/// The step of that id; nullptr: there is none.
RecordedStep* find_step(Entry& entry, std::size_t id);

}  // namespace unicni::journal
