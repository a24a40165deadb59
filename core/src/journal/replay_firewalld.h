// Undoing what backend firewalld set.
#pragma once

#include <vector>

#include "unicni/host.h"
#include "unicni/undo.h"

namespace unicni::journal {

/// Takes the sources of these records out of their zones; nothing if firewalld doesn't run. One
/// that a living attachment's record names as well stays: the address was given to it. Throws
/// Error, after all were tried.
void remove_firewalld_sources(const std::vector<Undo>& records, Host& host);

}  // namespace unicni::journal
