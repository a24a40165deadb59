#include "daemon/address.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sstream>
#include <string_view>
#include <thread>

#include "unicni/daemon.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"
#include "unicni/sys/proc.h"

namespace unicni::daemon {
namespace {

constexpr pid_t kInit = 1;  // systemd, which keeps the sockets that it gives to daemons

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

/// "socket:[<inode>]", from lines as
/// "0000000000000000: 00000002 00000000 00010000 0001 01 24519 /run/cni/dhcp.sock".
std::string listening_socket(const std::string& path) {
  constexpr std::string_view kAccepts = "00010000";  // __SO_ACCEPTCON
  std::istringstream lines(sys::read_proc("/proc/net/unix"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string skipped;
    std::string flags;
    std::string inode;
    std::string name;
    words >> skipped >> skipped >> skipped >> flags >> skipped >> skipped >> inode >> std::ws;
    std::getline(words, name);
    if (flags == kAccepts && name == path) return fmt::format("socket:[{}]", inode);
  }
  return {};
}

bool has_open(const std::string& folder, const std::string& file) {
  try {
    const auto names = sys::list_folder(folder);
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      return sys::read_proc_link(folder + '/' + name) == file;
    });
  } catch (const Error&) {
    return false;
  }
}

/// A daemon that a verb has started: its socket is in a network namespace of its own, whose list of
/// sockets isn't ours. With other mounts the path is another one.
bool is_daemon_of(const std::string& name, const std::string& path, pid_t pid) {
  if (sys::read_proc_link(fmt::format("/proc/{}/ns/mnt", pid)) !=
      sys::read_proc_link("/proc/thread-self/ns/mnt")) {
    return false;
  }
  const std::string line = sys::read_proc(fmt::format("/proc/{}/cmdline", pid));
  constexpr char kNul = '\0';
  return line.starts_with(name + kNul + "daemon" + kNul) &&
         line.find(kNul + path + kNul) != std::string::npos;
}

DaemonSilent overrun(const std::string& name, const std::string& path, pid_t pid) {
  return {Code::try_again,
          fmt::format("the {} daemon, {}, accepts nobody on {}", name, name_of(pid), path),
          pid <= kInit
              ? "if it hangs, end it: ss -xlp shows who listens there"
              : fmt::format("if it hangs: kill -9 {}, the next verb starts another one", pid)};
}

}  // namespace

std::optional<sys::Fd> connect(const std::string& name, const std::string& path,
                               Deadline deadline) {
  const Address address(path);
  constexpr std::chrono::milliseconds kPause{5};
  constexpr std::chrono::seconds kFull{1};
  Deadline look_at = std::chrono::steady_clock::now() + kFull;
  for (;;) {
    sys::Fd fd = make_socket();
    if (::connect(fd.get(), address.get(), sizeof address.un) == 0) return fd;
    if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR) return std::nullopt;
    if (errno == EPROTOTYPE) throw stranger(name, path, listener_of(name, path));
    const bool full = errno == EAGAIN || errno == EINTR;
    if (!full) throw system_error(errno, "connect to " + path);
    const auto now = std::chrono::steady_clock::now();
    if (now >= std::min(look_at, deadline)) {
      const pid_t pid = listener_of(name, path);
      refuse_stranger(name, path, pid);
      if (now >= deadline) throw overrun(name, path, pid);
      look_at = deadline;
    }
    std::this_thread::sleep_for(kPause);
  }
}

void ensure_folder_of(const std::string& path) {
  constexpr mode_t kFolderMode = 0700;
  static_cast<void>(Address(path));
  const std::size_t end = path.rfind('/');
  if (end > 0) sys::ensure_folder(path.substr(0, end), kFolderMode);
}

std::string lock_file(const std::string& path) { return path + ".lock"; }

sys::Fd listen(const std::string& path) {
  const Address address(path);
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) {
      throw DaemonStranger(Code::invalid_config, fmt::format("{} exists and is no socket", path),
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

pid_t listener_of(const std::string& name, const std::string& path) {
  constexpr std::chrono::milliseconds kScanTime{100};
  const auto end = std::chrono::steady_clock::now() + kScanTime;
  const std::string socket = listening_socket(path);
  pid_t stranger = 0;
  pid_t by_name = 0;
  for (const pid_t pid : sys::list_processes()) {
    if (std::chrono::steady_clock::now() > end) break;
    if (socket.empty()) {
      if (is_daemon_of(name, path, pid)) by_name = pid;
    } else if (has_open(fmt::format("/proc/{}/fd", pid), socket)) {
      if (!is_stranger(name, pid)) return pid;
      stranger = pid;
    }
  }
  return stranger != 0 ? stranger : by_name;
}

bool is_stranger(const std::string& name, pid_t pid) {
  if (pid <= kInit) return false;
  const std::string process = fmt::format("/proc/{}", pid);
  const std::string program = sys::read_proc_link(process + "/exe");
  return !program.empty() && program != sys::read_proc_link("/proc/thread-self/exe") &&
         !program.ends_with("/unicni") && !program.ends_with('/' + name) &&
         sys::read_proc(process + "/environ").find(kListenerVariable) == std::string::npos;
}

void refuse_stranger(const std::string& name, const std::string& path, pid_t pid) {
  if (is_stranger(name, pid)) throw stranger(name, path, pid);
}

pid_t peer_of(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 ? peer.pid : 0;
}

std::string name_of(pid_t pid) {
  if (pid <= 0) return "a process that is not visible from here";
  std::string name = sys::read_proc(fmt::format("/proc/{}/comm", pid));
  while (!name.empty() && name.back() == '\n') name.pop_back();
  return name.empty() ? fmt::format("pid {}", pid) : fmt::format("pid {} ({})", pid, name);
}

DaemonStranger stranger(const std::string& name, const std::string& path, pid_t pid) {
  std::string stop = fmt::format("stop it: kill {}", pid);
  if (pid == kInit) {
    stop = fmt::format("stop it: systemctl disable --now cni-{}.socket cni-{}.service", name, name);
  } else if (pid <= 0) {
    stop = "stop it: ss -xlp shows who listens there";
  }
  return {
      Code::not_available,
      fmt::format("{} belongs to {}, which is no {} daemon of unicni", path, name_of(pid), name),
      stop};
}

}  // namespace unicni::daemon
