// How many network namespaces this machine has, as far as one of them tells.
#pragma once

#include <cstdint>

namespace unicni::net {

/// Whether a namespace with this inode on nsfs was at least about the 32nd: what costs something
/// once and less for each namespace pays then. The kernel numbers namespaces and the files of each
/// one's /proc/net from one pool, lowest free number first (proc_alloc_inum(), Linux 3.8), about 70
/// a namespace: a young one's number tells how many there are.
[[nodiscard]] bool tells_of_many(std::uint64_t inode) noexcept;

}  // namespace unicni::net
