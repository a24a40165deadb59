// The background child of a program that goes on after its verbs: threads, as a library must not
// fork.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/background_child.h"
#include "unicni/sys/fd.h"

namespace unicni::runtime {

/// Its threads take no signals, and are in the namespaces of whoever makes this, wherever the verbs
/// are that it works for.
class Reaper final : public sys::BackgroundChild {
 public:
  /// Starts the first thread; throws std::system_error if there can't be one.
  Reaper();
  Reaper(const Reaper&) = delete;
  Reaper& operator=(const Reaper&) = delete;
  /// Waits for what is being sent, and closes the sockets that are kept. No verb runs any more.
  ~Reaper() override;

  std::unique_ptr<sys::BackgroundSend> send(int socket,
                                            std::span<const char> message) noexcept override;
  bool keep_open(std::span<const int> sockets) noexcept override;

  /// A thread is busy for as long as the kernel frees what it deleted, after the verb went on.
  static constexpr std::size_t kMostThreads = 32;

 private:
  using Clock = std::chrono::steady_clock;
  struct Job;
  class Send;
  struct Kept {
    Clock::time_point until;
    std::vector<sys::Fd> sockets;
  };

  void work() noexcept;
  void start_thread();
  void close_expired(std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable ended_;  // a job has
  bool stopping_ = false;
  std::size_t idle_ = 0;  // threads that wait
  std::size_t busy_ = 0;  // threads that send
  std::deque<std::shared_ptr<Job>> waiting_;
  std::deque<Kept> kept_;  // the first one's time comes first
  std::vector<std::thread> threads_;
};

}  // namespace unicni::runtime
