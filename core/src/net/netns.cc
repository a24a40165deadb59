#include "unicni/net/netns.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <thread>

#include "net/netns_count.h"
#include "unicni/error.h"

namespace unicni::net {
namespace {

/// Of the thread, not of the process: setns(2) moves the calling thread only.
constexpr const char* kOwnPath = "/proc/thread-self/ns/net";
/// O_NONBLOCK: whoever names a fifo as CNI_NETNS must not make the open wait for its other end.
constexpr int kOpenFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;

/// What this process lacks says nothing of the namespace. Who takes it for gone would leave in it
/// what it has to undo.
bool is_want(int error) { return error == EMFILE || error == ENFILE || error == ENOMEM; }

Error no_netns(const std::string& path, int errno_value, const std::string& doing) {
  const Error cause = system_error(errno_value, doing + ' ' + path);
  if (is_want(errno_value)) return {Code::try_again, cause.msg()};
  return {Code::invalid_netns, cause.msg(),
          "CNI_NETNS must be the path of a network namespace, as in /run/netns/NAME or "
          "/proc/PID/ns/net"};
}

/// setns(2) lets whoever got in back out again, but for a moment without memory.
void go_back(const Netns& back) {
  constexpr int kTries = 100;
  constexpr std::chrono::milliseconds kPause{10};
  int error = 0;
  for (int i = 0; i < kTries; ++i) {
    if (::setns(back.fd(), CLONE_NEWNET) == 0) return;
    error = errno;
    if (error != ENOMEM && error != EINTR) break;
    std::this_thread::sleep_for(kPause);
  }
  // A thread in the wrong namespace would do the rest of its work on the container instead of the
  // host, or the other way round: see is_current().
  throw system_error(error, "return to network namespace " + back.path());
}

}  // namespace

std::optional<Netns> Netns::open(const std::string& path) {
  if (path.empty()) return std::nullopt;
  Netns netns;
  netns.fd_ = sys::Fd(::open(path.c_str(), kOpenFlags));
  if (!netns.fd_) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw no_netns(path, errno, "open");
  }
  // The ioctl fails on every file that is not of nsfs, so a regular file or a device is told by it
  // as well.
  const int type = ::ioctl(netns.fd(), NS_GET_NSTYPE);
  if (type < 0 || type != CLONE_NEWNET) {
    throw Error(Code::invalid_netns, fmt::format("{} is no network namespace", path),
                "a namespace file that lost its mount (reboot, umount) is an ordinary empty file; "
                "make the namespace again");
  }
  struct stat status {};
  if (::fstat(netns.fd(), &status) != 0) throw no_netns(path, errno, "stat");
  netns.path_ = path;
  netns.device_ = status.st_dev;
  netns.inode_ = status.st_ino;
  return netns;
}

Netns Netns::current() {
  Netns netns;
  netns.fd_ = sys::Fd(::open(kOwnPath, kOpenFlags));
  struct stat status {};
  if (!netns.fd_ || ::fstat(netns.fd(), &status) != 0) {
    throw system_error(errno, fmt::format("open {}", kOwnPath)).advise("/proc must be mounted");
  }
  netns.path_ = kOwnPath;
  netns.device_ = status.st_dev;
  netns.inode_ = status.st_ino;
  return netns;
}

void Netns::run(const std::function<void()>& work) const { run(work, current()); }

/// The caller is often there already: a visit to the own namespace would be two system calls for
/// nothing.
void Netns::run(const std::function<void()>& work, const Netns& back) const {
  if (same_as(back)) {
    work();
    return;
  }
  if (::setns(fd(), CLONE_NEWNET) != 0) {
    // One that a user namespace besides or above ours owns.
    if (errno == EPERM) throw no_netns(path_, EPERM, "enter network namespace");
    throw system_error(errno, "enter network namespace");
  }
  std::exception_ptr failure;
  try {
    work();
  } catch (...) {
    failure = std::current_exception();
  }
  go_back(back);
  if (failure) std::rethrow_exception(failure);
}

bool Netns::is_current() const noexcept {
  struct stat status {};
  return ::stat(kOwnPath, &status) == 0 && status.st_dev == device_ && status.st_ino == inode_;
}

bool Netns::is_one_of_many() const noexcept { return tells_of_many(inode_); }

/// The inode number of a namespace may be given to a new one after it has ended. Before Linux 5.14
/// there is nothing better.
std::string netns_identity(int socket, const Netns& netns) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  if (::getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) == 0) {
    return fmt::format("cookie:{}", cookie);
  }
  struct stat status {};
  if (::fstat(netns.fd(), &status) != 0) throw system_error(errno, "stat " + netns.path());
  return fmt::format("inode:{}:{}", status.st_dev, status.st_ino);
}

}  // namespace unicni::net
