// The text form of an entry: its lines, and reading them with what an open file has to know of
// their places.
//
//   unicni-journal version=1 network=… container=… if_name=… boot=… host_netns=…
//   step type=bridge config=… container_netns=… netns=…
//   undo type=veth version=1 .name=… .alias=…     a field of the record has a dot before its key
//   done result=…
//   forget type=bridge                             the steps of that type were undone
//
// Lines of a kind that we don't know come from a newer program and are skipped, as are keys.
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
/// The key of the first line alone; what follows it isn't looked at.
std::optional<Key> read_key(std::string_view text);

std::string header_line(const Entry& entry);
/// Names the container's namespace only where it isn't `entry`'s.
std::string step_line(const Entry& entry, const std::string& type, const std::string& config,
                      const std::string& container_netns, const std::string& netns_path);
std::string undo_line(const Undo& undo);
std::string done_line(const std::string& result);
std::string forget_line(const std::string& type);

/// What the step line says of the namespace, applied to `entry`.
void move_to_netns(Entry& entry, const std::string& container_netns, const std::string& netns_path);
/// Steps of `type` go; how many.
std::size_t drop_steps(Entry& entry, const std::string& type);

}  // namespace unicni::journal
