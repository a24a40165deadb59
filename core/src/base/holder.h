// Who holds a lock: for the text of an error, so nothing here throws and everything is a best
// effort.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

namespace unicni::sys {

struct LockHolder {
  pid_t pid = 0;
  std::string program;      ///< /proc/<pid>/comm; empty: gone or hidden
  std::string verb;         ///< its CNI_COMMAND; empty: none
  double age_seconds = -1;  ///< since its start; negative: unknown
  /// "pid 4711 (host-local, DEL, running for 2.5 s)"
  [[nodiscard]] std::string str() const;
};

/// The process that holds an flock(2) lock on the file that `fd` has open, from /proc/locks; if
/// that names nobody alive (a child inherited the lock, or the file system's numbers differ from
/// stat's, as overlayfs's do) from the open files of all processes, for 0.1 s at most.
std::optional<LockHolder> find_lock_holder(int fd);

}  // namespace unicni::sys
