// ^C, and what else asks cnitool to end while a verb is at work.
#pragma once

#include <signal.h>

#include <string>
#include <thread>

#include "app/output.h"
#include "unicni/sys/fd.h"

namespace unicni::cnitool {

/// While it lives, SIGINT and SIGTERM end the process with 130 and 143, as a shell calls such an
/// end, after one line on stderr: `advice`. The runtime's plugins are ended by its spawner, and
/// what they leave is the next verb's to undo. Signals that the parent wants ignored, as of a job
/// in the background, stay ignored.
class Interruption {
 public:
  /// Before it, no thread may have been made that takes signals.
  Interruption(const app::Output& output, std::string advice);
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;
  ~Interruption();

 private:
  void wait() const;

  const app::Output& output_;
  const std::string advice_;
  sigset_t before_{};
  sys::Fd signals_;
  sys::Fd end_;  ///< readable: nobody waits for signals any more
  std::thread thread_;
};

}  // namespace unicni::cnitool
