// The background child of a program that ends with its verb: a process, which stays a little
// longer.
#pragma once

#include <sys/types.h>

#include <array>
#include <optional>
#include <span>

#include "base/background_child.h"

namespace unicni::exec {

/// Children of this process, which has one thread. In a child all descriptors but those it works
/// with are closed and the working folder is "/", so that it holds no lock, none of the runtime's
/// pipes and no mount. Those that ended are reaped by the next call; those that haven't at the
/// process's end go to init, if may_stay(), else settle() waits for them.
class ForkedChildren final : public sys::BackgroundChild {
 public:
  std::unique_ptr<sys::BackgroundSend> send(int socket,
                                            std::span<const char> message) noexcept override;
  bool keep_open(std::span<const int> sockets) noexcept override;

  /// Before the end of the process: waits for all children, unless they may stay; as long as the
  /// kernel may need, not for ever.
  void settle() noexcept;

 private:
  class Send;
  pid_t fork(std::span<const int> kept) noexcept;
  /// Whether it ended; it is reaped then.
  static bool has_ended(pid_t child) noexcept;
  void end(pid_t child) noexcept;
  bool reap() noexcept;  ///< false: none is left
  /// Whether children may outlive this process: are_orphans_reaped(), asked once (orphan.h).
  bool may_stay() noexcept;

  std::array<pid_t, 64> running_{};  // 0: free. More are left to whoever reaps orphans
  std::optional<bool> may_stay_;
};

}  // namespace unicni::exec
