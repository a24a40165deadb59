// What proc(5) shows of processes.
#pragma once

#include <sys/types.h>

#include <vector>

namespace unicni::sys {

/// The numbers of all processes that /proc shows, in no order; some may have ended since. Throws
/// Error if /proc can't be read.
std::vector<pid_t> list_processes();

}  // namespace unicni::sys
