#include "runtime/verb_locks.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "unicni/sha512.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/file.h"

namespace unicni::runtime {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;
constexpr std::size_t kLongestName = 200;  // of 255 bytes that a file's name may have

/// Whether `file` is what stands at `path` and not one that its last holder removed.
bool stands_at(int file, const std::string& path) {
  struct stat open {};
  struct stat found {};
  return ::fstat(file, &open) == 0 && ::stat(path.c_str(), &found) == 0 &&
         open.st_dev == found.st_dev && open.st_ino == found.st_ino;
}

}  // namespace

std::string VerbLocks::path_of(const std::string& name) const {
  if (name.size() <= kLongestName) return folder_ + '/' + name;
  return fmt::format("{}/{}:{}", folder_, name.substr(0, name.find(':')), sha512_hex(name));
}

unsigned long VerbLocks::enter(const std::string& name, sys::LockMode mode, const std::string& verb,
                               Deadline deadline) {
  std::unique_lock lock(mutex_);
  Place& place = places_[name];  // stays where it is while anybody waits
  const Waiter own{++tickets_, mode == sys::LockMode::shared};
  const auto start = Clock::now();
  place.waiting.push_back(own);
  const bool entered = left_.wait_until(lock, deadline, [&] { return place.is_free_for(own); });
  std::erase_if(place.waiting, [&](const Waiter& waiter) { return waiter.ticket == own.ticket; });
  if (!entered) {
    const Holder* holder = place.holders.empty() ? nullptr : &place.holders.front();
    Error error(
        Code::try_again, fmt::format("{} waits for {}: held by this process", verb, name),
        fmt::format("gave up after {:.1f} s; the {} has been at work for {:.1f} s",
                    std::chrono::duration<double>(Clock::now() - start).count(),
                    holder == nullptr ? "verb before it" : holder->verb,
                    holder == nullptr
                        ? 0.0
                        : std::chrono::duration<double>(Clock::now() - holder->since).count()));
    left_.notify_all();  // who only waited for us
    throw error;
  }
  place.is_shared = own.shares;
  place.holders.push_back({own.ticket, verb, Clock::now()});
  return own.ticket;
}

bool VerbLocks::Place::is_free_for(const Waiter& waiter) const {
  for (const Waiter& other : waiting) {
    if (other.ticket == waiter.ticket) break;
    if (!waiter.shares || !other.shares) return false;
  }
  return holders.empty() || (waiter.shares && is_shared);
}

void VerbLocks::leave(const std::string& name, unsigned long ticket) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = places_.find(name);
  std::erase_if(found->second.holders,
                [&](const Holder& holder) { return holder.ticket == ticket; });
  if (found->second.holders.empty() && found->second.waiting.empty()) places_.erase(found);
  left_.notify_all();
}

sys::Lock VerbLocks::lock_file(const std::string& name, sys::LockMode mode,
                               Deadline deadline) const {
  sys::ensure_folder(folder_, kFolderMode);
  const std::string path = path_of(name);
  for (;;) {
    sys::Fd file(::open(path.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kFileMode));
    if (!file) throw system_error(errno, "open lock " + path);
    // Who removed it held it, so whoever gets it afterwards has a lock on nothing.
    sys::Lock lock(std::move(file), path, deadline, mode);
    if (stands_at(lock.fd(), path)) return lock;
  }
}

VerbLocks::Held::Held(VerbLocks& locks, std::string name, sys::LockMode mode,
                      const std::string& verb, Deadline deadline)
    : locks_(locks), name_(std::move(name)) {
  const Deadline until = sys::lock_deadline(deadline);
  ticket_ = locks_.enter(name_, mode, verb, until);
  try {
    file_.emplace(locks_.lock_file(name_, mode, until));
  } catch (const Error& error) {
    if (!error.is(Code::try_again)) {
      problem_ = error;
      return;
    }
    locks_.leave(name_, ticket_);
    throw;
  }
}

/// Removed while nobody else has it locked: who has it open and waits looks whether it still
/// stands. A shared lock may be lost when it is made an exclusive one, and is given up anyway.
VerbLocks::Held::~Held() {
  if (file_ && ::flock(file_->fd(), LOCK_EX | LOCK_NB) == 0) {
    ::unlink(locks_.path_of(name_).c_str());
  }
  file_.reset();
  locks_.leave(name_, ticket_);
}

VerbLocks::Held VerbLocks::container(const std::string& id, const std::string& verb,
                                     Deadline deadline) {
  return {*this, "container:" + id, sys::LockMode::exclusive, verb, deadline};
}

VerbLocks::Held VerbLocks::network(const std::string& name, sys::LockMode mode,
                                   const std::string& verb, Deadline deadline) {
  return {*this, "network:" + name, mode, verb, deadline};
}

}  // namespace unicni::runtime
