#include "daemon/address.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "unicni/daemon.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::daemon {
namespace {

struct Address {
  sockaddr_un un{};

  explicit Address(const std::string& path) {
    un.sun_family = AF_UNIX;
    if (path.size() >= sizeof un.sun_path || !path.starts_with('/') ||
        path.find('\0') != std::string::npos) {
      throw Error(Code::invalid_config, fmt::format("{} is no path of a socket", path),
                  fmt::format("give an absolute path of at most {} bytes", sizeof un.sun_path - 1));
    }
    std::copy(path.begin(), path.end(), un.sun_path);
  }
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&un); }
};

sys::Fd make_socket() {
  sys::Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) throw system_error(errno, "create a unix socket");
  return fd;
}

}  // namespace

std::optional<sys::Fd> connect(const std::string& path, Deadline deadline) {
  const Address address(path);
  constexpr std::chrono::milliseconds kPause{5};
  for (;;) {
    sys::Fd fd = make_socket();
    if (::connect(fd.get(), address.get(), sizeof address.un) == 0) return fd;
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return std::nullopt;
    const bool full = errno == EAGAIN || errno == EINTR;
    if (!full) throw system_error(errno, "connect to " + path);
    if (std::chrono::steady_clock::now() >= deadline) {
      throw DaemonSilent(Code::try_again, fmt::format("{} accepts nobody", path));
    }
    std::this_thread::sleep_for(kPause);
  }
}

std::string lock_file(const std::string& path) { return path + ".lock"; }

sys::Fd listen(const std::string& path) {
  const Address address(path);
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      throw Error(Code::invalid_config, fmt::format("{} exists and is no socket", path),
                  "remove it, or choose another path");
    }
    ::unlink(path.c_str());
  }
  sys::Fd fd = make_socket();
  if (::bind(fd.get(), address.get(), sizeof address.un) != 0) {
    throw system_error(errno, "make the socket " + path);
  }
  // Whoever connects is looked at as well (SO_PEERCRED).
  constexpr mode_t kOwnersAlone = 0600;
  ::chmod(path.c_str(), kOwnersAlone);
  if (::listen(fd.get(), kBacklog) != 0) throw system_error(errno, "listen on " + path);
  return fd;
}

pid_t peer_of(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

std::string name_of(pid_t pid) {
  if (pid <= 0) return "a process that is not visible from here";
  try {
    if (auto name = sys::read_file(fmt::format("/proc/{}/comm", pid))) {
      while (!name->empty() && name->back() == '\n') name->pop_back();
      return fmt::format("pid {} ({})", pid, *name);
    }
  } catch (const Error&) {
    return fmt::format("pid {}", pid);
  }
  return fmt::format("pid {}", pid);
}

}  // namespace unicni::daemon
