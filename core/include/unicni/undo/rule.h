// Undo record "rule".
#pragma once

#include <string>

#include "unicni/net/rule.h"
#include "unicni/undo.h"

namespace unicni {

/// A rule that is added in the container's namespace. Undone by taking it away.
Undo undo_rule(const net::Rule& rule);

}  // namespace unicni
