#include "unicni/sys/fd.h"

#include <unistd.h>

namespace unicni::sys {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void Fd::reset() noexcept {
  // Linux closes the number even if close(2) says EINTR, so it is never repeated.
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

}  // namespace unicni::sys
