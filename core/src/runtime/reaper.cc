#include "runtime/reaper.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include "runtime/no_signals.h"

namespace unicni::runtime {
namespace {

sys::Fd duplicate(int fd) noexcept { return sys::Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

}  // namespace

struct Reaper::Job {
  sys::Fd socket;
  std::vector<char> message;
  enum class State : unsigned char { waiting, sending, ended } state = State::waiting;

  void send() const noexcept {
    // What the kernel answers is the verb's to read.
    while (::send(socket.get(), message.data(), message.size(), 0) < 0 && errno == EINTR) {
    }
  }
};

class Reaper::Send final : public sys::BackgroundSend {
 public:
  Send(Reaper& reaper, std::shared_ptr<Job> job) : reaper_(reaper), job_(std::move(job)) {}
  [[nodiscard]] bool has_ended() noexcept override {
    const std::lock_guard lock(reaper_.mutex_);
    return job_->state == Job::State::ended;
  }
  void end() noexcept override {
    std::unique_lock lock(reaper_.mutex_);
    if (job_->state == Job::State::waiting) job_->state = Job::State::ended;
    reaper_.ended_.wait(lock, [&] { return job_->state == Job::State::ended; });
  }

 private:
  Reaper& reaper_;
  std::shared_ptr<Job> job_;
};

Reaper::Reaper() {
  const std::lock_guard lock(mutex_);
  start_thread();
}

Reaper::~Reaper() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  // The first starts the others, none of them after this.
  for (std::size_t i = 0;; ++i) {
    std::thread thread;
    {
      const std::lock_guard lock(mutex_);
      if (i == threads_.size()) break;
      thread = std::move(threads_[i]);
    }
    thread.join();
  }
}

/// With the lock.
void Reaper::start_thread() {
  const NoSignals no_signals;
  threads_.reserve(kMostThreads);
  threads_.emplace_back([this] { work(); });
}

void Reaper::close_expired(std::unique_lock<std::mutex>& lock) {
  std::vector<Kept> expired;
  const auto now = Clock::now();
  while (!kept_.empty() && (stopping_ || kept_.front().until <= now)) {
    expired.push_back(std::move(kept_.front()));
    kept_.pop_front();
  }
  if (expired.empty()) return;
  lock.unlock();
  expired.clear();
  lock.lock();
}

void Reaper::work() noexcept {
  std::unique_lock lock(mutex_);
  for (;;) {
    close_expired(lock);
    if (waiting_.empty()) {
      if (stopping_) return;
      ++idle_;
      // Who waits for the time of a socket may be woken by a job, and the reverse.
      if (kept_.empty()) {
        wake_.wait(lock);
      } else {
        const auto until = kept_.front().until;  // another thread may close those meanwhile
        wake_.wait_until(lock, until);
      }
      --idle_;
      continue;
    }
    const std::shared_ptr<Job> job = std::move(waiting_.front());
    waiting_.pop_front();
    if (job->state == Job::State::ended) continue;
    job->state = Job::State::sending;
    ++busy_;
    // By one of us and not by the verb's thread, whose namespaces a new thread would have, and
    // keep.
    if (idle_ < waiting_.size() + 1 && threads_.size() < kMostThreads && !stopping_) {
      try {
        start_thread();
      } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): those that there are do it
      }
    }
    lock.unlock();
    job->send();
    job->socket.reset();
    lock.lock();
    --busy_;
    job->state = Job::State::ended;
    ended_.notify_all();
  }
}

std::unique_ptr<sys::BackgroundSend> Reaper::send(int socket,
                                                  std::span<const char> message) noexcept {
  try {
    auto job = std::make_shared<Job>();
    job->socket = duplicate(socket);
    if (!job->socket) return nullptr;
    job->message.assign(message.begin(), message.end());
    auto sending = std::make_unique<Send>(*this, job);
    const std::lock_guard lock(mutex_);
    // Rather than behind others that the kernel keeps waiting.
    if (stopping_ || waiting_.size() + busy_ >= kMostThreads) return nullptr;
    waiting_.push_back(std::move(job));
    wake_.notify_one();
    return sending;
  } catch (const std::exception&) {
    return nullptr;
  }
}

bool Reaper::keep_open(std::span<const int> sockets) noexcept {
  try {
    Kept kept{Clock::now() + std::chrono::milliseconds(sys::kFreeingTime), {}};
    for (const int socket : sockets) {
      kept.sockets.push_back(duplicate(socket));
      if (!kept.sockets.back()) return false;
    }
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    kept_.push_back(std::move(kept));
    wake_.notify_one();
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

}  // namespace unicni::runtime
