// Whether what lies in the journal's folder is ours: records are undone by root, and hold what
// "args" hold.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "unicni/error.h"

namespace unicni::journal {

/// The folder or a file is another's, or others can read or write it; the details are the commands
/// that mend it.
class Untrusted final : public Error {
 public:
  using Error::Error;
};

/// nullopt: `folder` is no symbolic link and of our effective user with mode 0700 or less, or there
/// is no folder.
std::optional<Untrusted> distrust_folder(const std::string& folder);
/// The same for a regular file of mode 0600 or less, by what lstat(2) or fstat(2) said.
std::optional<Untrusted> distrust_file(const std::string& path, const struct stat& status);

}  // namespace unicni::journal
