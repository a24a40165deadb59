#include "runtime/verb_threads.h"

#include <sched.h>

#include <cerrno>
#include <exception>
#include <system_error>

#include "runtime/no_signals.h"
#include "unicni/error.h"

namespace unicni::runtime {

struct VerbThreads::Job {
  const std::function<void()>& work;
  std::exception_ptr failure = {};
  std::thread thread = {};
  int error = 0;  // errno of a thread that couldn't be made
  bool is_started = false;

  /// The working folder and the umask become the thread's own, so that the program may change its
  /// own meanwhile; and without that setns(2) refuses a mount namespace to one of several threads.
  /// Descriptors stay shared: those that a verb leaves to the reaper must be the reaper's as well.
  void work_on_thread() noexcept {
    try {
      if (::unshare(CLONE_FS) != 0) throw system_error(errno, "unshare the working folder");
      work();
    } catch (...) {
      failure = std::current_exception();
    }
  }
};

/// The last thing that a caller does with the threads is to say that he has left.
class VerbThreads::AtWork {
 public:
  explicit AtWork(const VerbThreads& threads) : threads_(threads) {
    const std::lock_guard lock(threads_.mutex_);
    ++threads_.at_work_;
  }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;
  ~AtWork() {
    const std::lock_guard lock(threads_.mutex_);
    if (--threads_.at_work_ == 0) threads_.idle_.notify_all();
  }

 private:
  const VerbThreads& threads_;
};

VerbThreads::VerbThreads() {
  const NoSignals no_signals;
  maker_ = std::thread([this] { serve(); });
}

VerbThreads::~VerbThreads() {
  {
    std::unique_lock lock(mutex_);
    idle_.wait(lock, [&] { return at_work_ == 0; });
    stopping_ = true;
  }
  wake_.notify_all();
  maker_.join();
}

void VerbThreads::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    Job* const job = waiting_.front();
    waiting_.pop_front();
    lock.unlock();
    std::thread thread;
    int error = 0;
    try {
      thread = std::thread([job] { job->work_on_thread(); });
    } catch (const std::system_error& failure) {
      error = failure.code().value();
    }
    lock.lock();
    job->thread = std::move(thread);
    job->error = error;
    job->is_started = true;
    started_.notify_all();
  }
}

void VerbThreads::run(const std::function<void()>& work) const {
  const AtWork at_work(*this);
  Job job{work};
  {
    std::unique_lock lock(mutex_);
    waiting_.push_back(&job);
    wake_.notify_one();
    started_.wait(lock, [&] { return job.is_started; });
  }
  if (job.error != 0) {
    throw Error(Code::try_again, system_error(job.error, "make a thread for the verb").msg(),
                "the program or its user has as many threads as it may (ulimit -u, pids.max)");
  }
  job.thread.join();
  if (job.failure) std::rethrow_exception(job.failure);
}

}  // namespace unicni::runtime
