// One program that the spawner has started.
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <optional>
#include <string>

#include "spawner/shared_child.h"
#include "spawner/wire.h"
#include "unicni/deadline.h"
#include "unicni/sys/fd.h"

namespace unicni::spawner {

/// From the request's first byte until the child is reaped. If nobody waits for it any more, as the
/// other side has closed the channel or the program that asked has died, it is ended as at its
/// deadline: else it would go on changing what others have begun to take away.
class Plugin {
 public:
  /// The channel, and what will be stdin, stdout and stderr.
  Plugin(sys::Fd channel, std::array<sys::Fd, 3> stdio);
  Plugin(Plugin&&) = default;
  Plugin& operator=(Plugin&&) = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;
  ~Plugin() = default;

  /// -1 when the other side has closed it.
  [[nodiscard]] int channel() const { return channel_.get(); }
  /// Handles what came on the channel; starts the child when the request is complete.
  void read_channel(const ChildStack& stack);
  /// Looks whether the child has ended: it sent SIGCHLD, or may have.
  void look();
  /// Does what is due at `now`.
  void keep_time(Deadline now);
  /// The program that asked for it has died.
  void abandon();
  /// When keep_time() is due next.
  [[nodiscard]] std::optional<Deadline> next_time() const;
  /// There is nothing more to do: no child, or it is reaped.
  [[nodiscard]] bool is_over() const { return state_ == State::over; }

 private:
  enum class State : unsigned char {
    asked,    // the request isn't complete
    running,  // until its deadline
    ending,  // has got SIGTERM; also with the child ended, as a reaped one's group may be another's
    killed,  // has got SIGKILL, and hangs in the kernel or is about to end
    over,
  };

  void start(const ChildStack& stack);
  void report(Progress event, int value = 0, int signal = 0);
  void end();
  void kill();
  void reap();

  sys::Fd channel_;
  std::array<sys::Fd, 3> stdio_;
  std::string received_;
  State state_ = State::asked;
  pid_t pid_ = 0;
  bool ended_ = false;  // and isn't reaped
  Deadline until_{};    // of `running` or `ending`
};

}  // namespace unicni::spawner
