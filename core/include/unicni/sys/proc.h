// What proc(5) shows of processes.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace unicni::sys {

/// The numbers of all processes that /proc shows, in no order; some may have ended since. Throws
/// Error if /proc can't be read.
std::vector<pid_t> list_processes();

/// A file of /proc, 16 MiB at most (those of a busy host are large). Empty also if its process has
/// ended (ESRCH) or nobody may read it.
std::string read_proc(const std::string& path);
/// What a link of /proc says, as "socket:[24519]" or a path. Empty as read_proc().
std::string read_proc_link(const std::string& path);

/// A path by which what descriptor `fd` has open is opened anew, whatever its own path leads to by
/// now. For this process, as long as `fd` is open; of the thread, as the process's first one may
/// have ended.
std::string proc_path_of(int fd);

}  // namespace unicni::sys
