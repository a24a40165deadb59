// Undo record "delegate".
#pragma once

#include <string>

#include "unicni/undo.h"

namespace unicni {

/// A delegate that runs as a program: undone by executing it with CNI_COMMAND=DEL, the attachment's
/// environment and `request` on stdin.
Undo undo_delegate(const std::string& type, const std::string& program, const std::string& request);

}  // namespace unicni
