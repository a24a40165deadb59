// Network namespaces. network_namespaces(7), ioctl_ns(2).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "unicni/sys/fd.h"

namespace unicni::net {

/// An open namespace, of one thread at a time. Its cookie names it for the life of the kernel
/// (SO_NETNS_COOKIE, Linux 5.14, never reused); on older kernels device and inode of the nsfs file
/// stand in.
class Netns {
 public:
  /// nullopt: `path` is empty or doesn't exist. Error (Code::invalid_netns): it exists but is no
  /// network namespace. Error (Code::try_again): this process lacks descriptors or memory to look.
  static std::optional<Netns> open(const std::string& path);
  /// The calling thread's.
  static Netns current();

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] bool same_as(const Netns& other) const noexcept {
    return device_ == other.device_ && inode_ == other.inode_;
  }

  /// Whether its number tells that this machine has about 32 namespaces or more. An old one's tells
  /// nothing.
  [[nodiscard]] bool is_one_of_many() const noexcept;

  /// Whether the calling thread is in it.
  [[nodiscard]] bool is_current() const noexcept;

  /// Runs `work` with the calling thread inside, then goes back, also when it throws. Throws Error
  /// if the way back stays shut for a second: who goes on past errors asks is_current() first, as
  /// nothing may be changed in the wrong namespace.
  void run(const std::function<void()>& work) const;
  /// The same for who has the calling thread's namespace open already.
  void run(const std::function<void()>& work, const Netns& back) const;

 private:
  Netns() = default;
  sys::Fd fd_;
  std::string path_;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  friend const sys::Fd& settings_beside(const Netns&);  // net/sysctl.h, not to be shared by threads
  mutable std::optional<sys::Fd> settings_;
};

/// "cookie:<n>" or "inode:<dev>:<ino>" of the namespace that `socket` lives in.
std::string netns_identity(int socket, const Netns& netns);

}  // namespace unicni::net
