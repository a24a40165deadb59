// Undo record "qdisc".
#pragma once

#include <string>

#include "unicni/net/link.h"
#include "unicni/net/qdisc.h"
#include "unicni/undo.h"

namespace unicni {

/// A qdisc of `kind` on a host link that had none at that place. Undone by removing it if the link
/// still has its alias and the qdisc its kind.
Undo undo_qdisc(const net::Link& link, net::QdiscPlace place, const std::string& kind);

}  // namespace unicni
