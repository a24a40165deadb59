// What records about the container's side have in common.
#pragma once

#include "undo/found_link.h"
#include "unicni/net/route.h"

namespace unicni::undo {

/// The link in the container that the record's "link" and "index" name: absent without a namespace
/// or a link of that name, others if it has another index.
FoundLink look_at_container_link(const Undo& record, Undoing& undoing);

/// Fields of the records about routes.
Undo route_record(const char* type, const std::string& link, const net::RouteEntry& entry);
/// The route of such a record; by the link with this index.
net::RouteEntry route_of(const Undo& record);
/// Whether the link of such a record is still there: absent as above, else ours if `has` says of
/// the link what is to be undone.
template <class Has>
Found find_on_container_link(const Undo& record, Undoing& undoing, const Has& has) {
  const FoundLink seen = look_at_container_link(record, undoing);
  if (seen.found != Found::ours) return seen.found;
  return has(*seen.link) ? Found::ours : Found::absent;
}
/// Whether the kernel has the route of the record, by that link.
bool has_route(const Undo& record, const net::Link& link, Undoing& undoing);

}  // namespace unicni::undo
