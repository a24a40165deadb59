// Which verbs may be at work at once: one for a container, and no other of its network beside a GC
// (CNI spec 1.1.0, section 2; LIFE-02, GC-09).
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unicni/deadline.h"
#include "unicni/error.h"
#include "unicni/sys/lock.h"

namespace unicni::runtime {

/// Between threads by a table, whose waiters are woken at once, and between processes by flock(2)
/// on files <folder>/container:<id> and <folder>/network:<name>. Threads are served as they came.
/// Who needs both takes the network first. A file goes with its last lock.
class VerbLocks {
 public:
  explicit VerbLocks(std::string folder) : folder_(std::move(folder)) {}
  VerbLocks(const VerbLocks&) = delete;
  VerbLocks& operator=(const VerbLocks&) = delete;

  /// Released by its end.
  class Held {
   public:
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    ~Held();
    /// Why other processes are not kept out: the file can't be made, or not be locked.
    [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }

   private:
    friend class VerbLocks;
    Held(VerbLocks& locks, std::string name, sys::LockMode mode, const std::string& verb,
         Deadline deadline);

    VerbLocks& locks_;
    std::string name_;
    unsigned long ticket_;
    std::optional<sys::Lock> file_;
    std::optional<Error> problem_;
  };

  /// Waits half of the time until `deadline`, then throws Error(try_again) that names the holder.
  /// `verb` is what others are told, "ADD of net/c1/eth0". Where the file is the problem, it is the
  /// caller's to decide whether the verb goes on.
  [[nodiscard]] Held container(const std::string& id, const std::string& verb, Deadline deadline);
  [[nodiscard]] Held network(const std::string& name, sys::LockMode mode, const std::string& verb,
                             Deadline deadline);

 private:
  using Clock = std::chrono::steady_clock;
  struct Holder {
    unsigned long ticket;
    std::string verb;
    Clock::time_point since;
  };
  struct Waiter {
    unsigned long ticket;
    bool shares;
  };
  struct Place {
    std::vector<Holder> holders;  // one, unless they share it
    bool is_shared = false;
    std::vector<Waiter> waiting;  // as they came: none passes another, but sharers pass sharers
    [[nodiscard]] bool is_free_for(const Waiter& waiter) const;
  };

  unsigned long enter(const std::string& name, sys::LockMode mode, const std::string& verb,
                      Deadline deadline);
  void leave(const std::string& name, unsigned long ticket) noexcept;
  [[nodiscard]] sys::Lock lock_file(const std::string& name, sys::LockMode mode,
                                    Deadline deadline) const;
  [[nodiscard]] std::string path_of(const std::string& name) const;

  const std::string folder_;
  std::mutex mutex_;
  std::condition_variable left_;
  std::map<std::string, Place> places_;
  unsigned long tickets_ = 0;
};

}  // namespace unicni::runtime
