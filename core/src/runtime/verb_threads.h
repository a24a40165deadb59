// The threads that verbs work on.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

namespace unicni::runtime {

/// A verb enters the container's network namespace, and may find the way back shut. So it has a
/// thread that ends with it: a thread of the program's would stay where it is. All begin in the
/// namespaces of whoever makes this, wherever the thread is that asks for the verb: they are made
/// by one that was made here. They take no signals.
class VerbThreads {
 public:
  /// Throws std::system_error if there can't be a thread.
  VerbThreads();
  VerbThreads(const VerbThreads&) = delete;
  VerbThreads& operator=(const VerbThreads&) = delete;
  /// run() is called no more. Waits for those that are at work.
  ~VerbThreads();

  /// Does `work` on a new thread and returns when that has ended. Throws what `work` throws;
  /// Error(try_again) if there can't be a thread.
  void run(const std::function<void()>& work) const;

 private:
  struct Job;
  class AtWork;
  void serve();

  mutable std::mutex mutex_;
  mutable std::condition_variable wake_;     // the one that makes threads
  mutable std::condition_variable started_;  // who waits for his own
  mutable std::condition_variable idle_;     // the destructor
  mutable std::deque<Job*> waiting_;
  mutable std::size_t at_work_ = 0;  // run() that haven't returned
  bool stopping_ = false;
  std::thread maker_;
};

}  // namespace unicni::runtime
