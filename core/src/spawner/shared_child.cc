#include "spawner/shared_child.h"

#include <sched.h>
#include <sys/mman.h>

#include <cerrno>

#include "unicni/error.h"

// clone(2) of glibc under its other name: ThreadSanitizer replaces the first one, and would take
// its own locks in the child, which has the parent's memory.
extern "C" int __clone(int (*work)(void*), void* stack, int flags, void* argument,
                       ...);  // NOLINT(bugprone-reserved-identifier)

namespace unicni::spawner {

ChildStack::ChildStack()
    : memory_(::mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0)) {
  if (memory_ == MAP_FAILED) throw system_error(errno, "get memory for a child's stack");
}

ChildStack::~ChildStack() { ::munmap(memory_, kSize); }

UNICNI_IN_SHARED_CHILD pid_t start_shared_child(int (*work)(void*), const ChildStack& stack,
                                                void* argument, int exit_signal) noexcept {
  return __clone(work, stack.top(), CLONE_VM | CLONE_VFORK | exit_signal, argument);
}

}  // namespace unicni::spawner
