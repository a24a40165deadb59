// A file descriptor with an owner.
#pragma once

#include <utility>

namespace unicni::sys {

/// Closes on destruction; movable. Everything unicni opens is O_CLOEXEC.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}  ///< takes over fd; -1: none
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] explicit operator bool() const noexcept { return fd_ >= 0; }
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;  ///< closes now

 private:
  int fd_ = -1;
};

}  // namespace unicni::sys
