// Undo record "removed-route".
#pragma once

#include <string>

#include "unicni/net/route.h"
#include "unicni/undo.h"

namespace unicni {

/// A route that is taken away in the container's namespace. Undone by adding it again if the link
/// still is the one with that ifindex.
Undo undo_removed_route(const std::string& link, const net::RouteEntry& route);

}  // namespace unicni
