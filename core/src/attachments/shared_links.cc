#include "attachments/shared_links.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "journal/trust.h"
#include "unicni/error.h"

namespace unicni::attachments {

std::optional<sys::Lock> lock_shared_links(const std::string& folder, sys::LockMode mode,
                                           Deadline deadline) {
  sys::Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  // Whoever else can open the folder could hold its lock for ever.
  if (fd && journal::distrust_folder(folder)) return std::nullopt;
  if (fd) return sys::Lock(std::move(fd), folder + " (shared links)", deadline, mode);
  if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
  throw system_error(errno, "open " + folder);
}

}  // namespace unicni::attachments
