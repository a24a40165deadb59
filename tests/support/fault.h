// Plugins for which one thing goes wrong: a system call that fails, or a message that the kernel
// refuses.
#pragma once

#include <string>

#include "support/process.h"

namespace unicni::test {

enum class Fault {
  call,       ///< the k-th call fails, those after it work again
  message,    ///< the kernel refuses the k-th netlink message, as if it didn't know its type
  disk_full,  ///< from the k-th call that needs space on a disk, every one fails with ENOSPC
};

struct Injection {
  bool reached = false;  ///< false: the program ended before its k-th call
  std::string call;      ///< "openat /run/unicni", "sendto rtnetlink"; for messages: its type
  std::string error;     ///< "ENOSPC": what the program was told
  Output output;
};

/// Runs the program with a fault at its k-th (from 1) call or message. Counted are calls on files,
/// folders, pipes, sockets and namespaces, from the first one on whose text ends with `from`; from
/// the first read of stdin if that is empty: what is before is the dynamic linker. Memory is not
/// among it, nor close(2), nor reading from a pipe, nor stderr.
Injection fail_at(const Spawn& spawn, int k, Fault fault, const std::string& from = {});

}  // namespace unicni::test
