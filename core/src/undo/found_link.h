// Records about a link: one look says what became of it, for finding and for undoing.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "undo/kind.h"
#include "unicni/net/link.h"

namespace unicni::undo {

struct FoundLink {
  Found found = Found::absent;
  std::optional<net::Link> link = {};  ///< set if it is ours
};

/// `link`, which is there, if it `is_ours`.
inline FoundLink judge(std::optional<net::Link> link, bool is_ours) {
  if (!is_ours) return {Found::others};
  return {Found::ours, std::move(link)};
}

using LookAtLink = FoundLink (*)(const Undo& record, Undoing& undoing);

/// UndoKind::find of a kind that a look at its link decides.
template <LookAtLink look>
Found find_by(const Undo& record, Undoing& undoing) {
  return look(record, undoing).found;
}

/// UndoKind::undo: does `act` to the link if the look says that it is ours.
template <LookAtLink look, void (*act)(const Undo&, const net::Link&, Undoing&)>
void undo_by(const std::vector<Undo>& records, Undoing& undoing) {
  for (const Undo& record : records) {
    const FoundLink seen = look(record, undoing);
    if (seen.found == Found::ours) act(record, *seen.link, undoing);
  }
}

/// For undo_by(), of links that ADD made on the host, and in the container.
inline void remove_from_host(const Undo&, const net::Link& link, Undoing& undoing) {
  net::remove_link(undoing.host.host_links(), link.index);
}
inline void remove_from_container(const Undo&, const net::Link& link, Undoing& undoing) {
  net::remove_link(undoing.host.container_links(), link.index);
}

}  // namespace unicni::undo
