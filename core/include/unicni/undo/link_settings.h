// Undo record "link-settings".
#pragma once

#include <string>

#include "unicni/net/link.h"
#include "unicni/undo.h"

namespace unicni {

/// Settings of a link in the container. Undone by `before`, what they were (up, arp_notify and
/// alias don't count), if name and ifindex are the same.
Undo undo_link_settings(const net::Link& link, const net::LinkChange& before);

}  // namespace unicni
