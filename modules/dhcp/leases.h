// `dhcp leases`: what this host's daemons hold, for people.
#pragma once

namespace unicni::dhcp {

/// argv is {"leases"} or {"leases", "-folder", path}. Prints each lease of the folder, and what its
/// server told that no CNI result has a place for. 1: that folder isn't there. Throws Error whose
/// details are the usage.
int list_leases(int argc, const char* const* argv);

}  // namespace unicni::dhcp
