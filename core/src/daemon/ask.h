// What became of a question, and what is asked without waiting for the answer.
#pragma once

#include "unicni/daemon.h"

namespace unicni::daemon {

/// It can be neither connected to nor started, for whatever reason: nobody was asked.
class Unreachable final : public Error {
 public:
  using Error::Error;
};

/// Puts a request into the queue of a daemon that hangs, if there is room: it is served if that
/// lives again.
void leave_request(const DaemonPlace& place, const Line& request) noexcept;

}  // namespace unicni::daemon
