// Undo record "reservation".
#pragma once

#include <string>

#include "unicni/ip.h"
#include "unicni/undo.h"

namespace unicni {

/// An address of host-local that is reserved under `data_dir` by a file with this content. Undone
/// by releasing it if the file still has that content, or none; with `rests` it rests then, if it
/// was in use.
Undo undo_reservation(const std::string& data_dir, const std::string& network,
                      const IpAddress& address, const std::string& content, bool rests);

}  // namespace unicni
