// Undo record "added-route".
#pragma once

#include <string>

#include "unicni/net/route.h"
#include "unicni/undo.h"

namespace unicni {

/// A route that is added in the container's namespace. Undone by taking it away.
Undo undo_added_route(const std::string& link, const net::RouteEntry& route);

}  // namespace unicni
