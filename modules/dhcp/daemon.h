// `dhcp daemon`: the process around the keeper.
#pragma once

namespace unicni::dhcp {

/// Serves until SIGTERM or SIGINT; the exit status. Throws Error: the flags are wrong, or the
/// socket can't be had.
int run_daemon(int argc, const char* const* argv);

}  // namespace unicni::dhcp
