// Where entries lie: their folder, and the one where versions before 0.2 have theirs.
#pragma once

#include <string>

namespace unicni::journal {

/// The parent of `folder`, which ends in no '/'.
inline std::string former_folder(const std::string& folder) {
  return folder.substr(0, folder.rfind('/'));
}

}  // namespace unicni::journal
