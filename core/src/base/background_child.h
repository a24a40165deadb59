// For what only waits: the kernel makes whoever deletes a link, or closes a netfilter socket, wait
// until it has freed what nobody can see any more. Somebody else does that, and the verb goes on.
#pragma once

#include <memory>
#include <span>

namespace unicni::sys {

/// A message that a background child sends. When this goes, the sending goes on.
class BackgroundSend {
 public:
  virtual ~BackgroundSend();
  /// Whether send(2) has returned, or never will be called.
  [[nodiscard]] virtual bool has_ended() noexcept = 0;
  /// Ends it, at the latest when the kernel is through with what it is at: afterwards nothing is
  /// sent.
  virtual void end() noexcept = 0;
};

/// Owned by the program around core: a process for an executable that ends with its verb, threads
/// for a library, which must not fork. Serves all threads at once.
class BackgroundChild {
 public:
  virtual ~BackgroundChild();
  /// send(2) of `message` on `socket`, which the caller may close meanwhile. It is on its way when
  /// this returns. nullptr: not possible now, do it yourself.
  virtual std::unique_ptr<BackgroundSend> send(int socket,
                                               std::span<const char> message) noexcept = 0;
  /// Keeps `sockets` open until the kernel has freed what was deleted through them, so that the
  /// caller's close(2) doesn't wait. False: not possible now.
  virtual bool keep_open(std::span<const int> sockets) noexcept = 0;
};

/// How long sockets are kept open, in ms. Grace periods take 10 to 30 ms, more under load.
inline constexpr int kFreeingTime = 200;

}  // namespace unicni::sys
