// How many network namespaces this machine has, as far as the ones that we open tell.
#pragma once

#include <cstdint>

namespace unicni::net {

/// A namespace that was opened, by its inode on nsfs. The kernel numbers namespaces and the files
/// of each one's /proc/net from one pool, lowest free number first (proc_alloc_inum(), Linux 3.8),
/// about 70 a namespace: a young one's number tells how many there are.
void note_namespace(std::uint64_t inode);
/// Whether one of them was at least about the 32nd. What costs something once and less for each
/// namespace pays then. False before any was opened.
bool is_crowded();

}  // namespace unicni::net
