// Making an index true.
#pragma once

#include <string>

#include "ipam/index.h"

namespace unicni::ipam {

/// The index of `folder`, saying what the files say: believed if it matches the folder, else
/// compared with the folder, else made again. The folder's lock must be held.
Index load_index(const std::string& folder, const BootId& boot);

/// Compares the index with the files: adds, corrects and drops entries. Files that are the same as
/// before, by inode and ctime, are not read.
void reconcile(Index& index, const std::string& folder);

}  // namespace unicni::ipam
