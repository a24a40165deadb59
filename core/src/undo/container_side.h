// What records about the container's side have in common.
#pragma once

#include <optional>

#include "undo/kind.h"
#include "unicni/net/link.h"
#include "unicni/net/route.h"

namespace unicni::undo {

/// The link in the container that the record's "link" and "index" name. `found`: absent without a
/// namespace or a link of that name; others if it has another index.
std::optional<net::Link> find_container_link(const Undo& record, Undoing& undoing, Found& found);

/// Fields of the records about routes.
Undo route_record(const char* type, const std::string& link, const net::RouteEntry& entry);
/// The route of such a record; by the link with this index.
net::RouteEntry route_of(const Undo& record, int index);
/// Whether the kernel has it.
bool has_route(net::Netlink& links, const net::RouteEntry& wanted);

}  // namespace unicni::undo
