// Network namespaces of tests.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "unicni/sys/fd.h"

namespace unicni::runtime {

/// A namespace that stands for as long as this.
class LivingNetns {
 public:
  LivingNetns() {
    std::thread([&] {
      if (::unshare(CLONE_NEWNET) == 0) {
        fd_ = sys::Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
      }
    }).join();
  }
  [[nodiscard]] std::string path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_.get());
  }

 private:
  sys::Fd fd_;
};

}  // namespace unicni::runtime
