// A stretch of a thread without signals.
#pragma once

#include <signal.h>

namespace unicni::runtime {

/// A thread that is made meanwhile takes none for ever: which of a program's threads gets them is
/// the program's affair.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace unicni::runtime
