#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>
#include <utility>
#include <vector>

#include "daemon/address.h"
#include "unicni/daemon.h"
#include "unicni/daemon_listener.h"
#include "unicni/sys/lock.h"

namespace unicni {
namespace {

constexpr std::size_t kLongestRequest = 1U << 20U;
constexpr std::chrono::seconds kLockTime{10};
/// In front of the number of a socket that systemd made, after a hand-over.
constexpr char kSystemds = 's';

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

void make_nonblocking(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

}  // namespace

std::optional<DaemonConnection::Request> DaemonConnection::read() {
  std::array<char, 4096> buffer{};
  while (fd_) {
    iovec part{buffer.data(), buffer.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t size = ::recvmsg(fd_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return std::nullopt;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); size > 0 && header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      // There is room for two, as the kernel aligns it; all that came are ours to close.
      const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (std::size_t i = 0; i < count; ++i) {
        int received = -1;
        std::memcpy(&received, CMSG_DATA(header) + i * sizeof received, sizeof received);
        attached_ = sys::Fd(received);
      }
    }
    if (size <= 0) {
      fd_.reset();
      return std::nullopt;
    }
    text_.append(buffer.data(), static_cast<std::size_t>(size));
    const std::size_t end = text_.find('\n');
    if (end != std::string::npos) {
      auto line = parse_line(std::string_view(text_).substr(0, end));
      if (line && line->get("daemon") == name_) {
        return Request{*std::move(line), std::move(attached_)};
      }
      refuse(Error(Code::internal,
                   fmt::format("this is no request to the {} daemon of unicni", name_)));
    } else if (text_.size() > kLongestRequest) {
      refuse(Error(Code::internal, "the request is too long"));
    }
  }
  return std::nullopt;
}

/// An answer fits into an empty socket's buffer, or is lost: a daemon waits for nobody.
void DaemonConnection::answer(Line line) noexcept {
  if (!fd_) return;
  line.fields.emplace_back("daemon", name_);
  line.fields.emplace_back("protocol", kDaemonProtocol);
  line.fields.emplace_back("version", UNICNI_VERSION);
  const std::string text = print_line(line);
  ::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  fd_.reset();
}

void DaemonConnection::refuse(const Error& error) noexcept {
  answer({"error",
          {{"code", std::to_string(error.code())},
           {"msg", error.msg()},
           {"details", error.details()}}});
}

bool DaemonConnection::is_waited_for() noexcept {
  char byte = 0;
  if (!fd_) return false;
  const ssize_t size = ::recv(fd_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) fd_.reset();
  return static_cast<bool>(fd_);
}

DaemonListener::DaemonListener(sys::Fd fd, std::string name, std::string path, bool is_systemds,
                               std::optional<FileId> file)
    : fd_(std::move(fd)),
      name_(std::move(name)),
      path_(std::move(path)),
      is_systemds_(is_systemds),
      file_(file) {
  make_nonblocking(fd_.get());
  // Now this process is who listens, for SO_PEERCRED.
  ::listen(fd_.get(), daemon::kBacklog);
}

DaemonListener DaemonListener::open(const std::string& name, const std::string& path) {
  const std::string ours = variable(daemon::kListenerVariable);
  const std::string systemds = variable("LISTEN_FDS");
  const bool for_us = variable("LISTEN_PID") == std::to_string(::getpid());
  for (const char* each : {daemon::kListenerVariable, "LISTEN_FDS", "LISTEN_PID"}) {
    ::unsetenv(each);
  }
  if (!ours.empty()) {
    const bool is_systemds = ours.front() == kSystemds;
    std::istringstream words(ours.substr(is_systemds ? 1 : 0));
    int fd = -1;
    FileId file;
    words >> fd;
    const bool known = static_cast<bool>(words >> file.device >> file.inode);
    DaemonListener listener(sys::Fd(fd), name, path, is_systemds, known ? file : find_file(path));
    if (!is_systemds) listener.move_here();
    return listener;
  }
  if (for_us && systemds == "1") {
    return {sys::Fd(daemon::kListenerFd), name, path, true, find_file(path)};
  }
  if (for_us && !systemds.empty()) {
    throw Error(Code::invalid_environment,
                fmt::format("systemd gave {} sockets, and there must be one", systemds),
                "name one ListenStream= in the .socket unit");
  }
  daemon::ensure_folder_of(path);
  const Deadline deadline = std::chrono::steady_clock::now() + kLockTime;
  const sys::Lock lock(daemon::lock_file(path), 0600, deadline);
  if (const auto other = daemon::connect(name, path, deadline)) {
    throw Error(Code::internal, fmt::format("{} listens on {} already",
                                            daemon::name_of(daemon::peer_of(other->get())), path));
  }
  sys::Fd fd = daemon::listen(path);
  return {std::move(fd), name, path, false, find_file(path)};
}

std::optional<DaemonListener::FileId> DaemonListener::find_file(const std::string& path) noexcept {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

bool DaemonListener::is_displaced() const noexcept {
  const auto now = find_file(path_);
  return file_ && now && *now != *file_;
}

/// A socket keeps the network namespace of whoever made it. Who starts the daemon holds the lock
/// until it has connected; from then on nobody comes by the old socket, but for those in its queue.
void DaemonListener::move_here() {
  if (is_displaced()) return;
  const sys::Lock lock(daemon::lock_file(path_), 0600,
                       std::chrono::steady_clock::now() + kLockTime);
  first_ = std::exchange(fd_, daemon::listen(path_));
  file_ = find_file(path_);
  pollfd queue{first_.get(), POLLIN, 0};
  if (::poll(&queue, 1, 0) != 1) first_.reset();
}

std::optional<DaemonConnection> DaemonListener::accept() {
  for (;;) {
    const bool is_first = static_cast<bool>(first_);
    sys::Fd fd(::accept4(is_first ? first_.get() : fd_.get(), nullptr, nullptr,
                         SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (!fd && is_first) {
      first_.reset();
      continue;
    }
    if (!fd) return std::nullopt;
    ucred peer{};
    socklen_t size = sizeof peer;
    const bool known = ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0;
    if (known && (peer.uid == 0 || peer.uid == ::geteuid())) {
      return DaemonConnection(std::move(fd), name_);
    }
  }
}

void DaemonListener::hand_over(const std::string& program, const char* const* argv) noexcept {
  std::string text = is_systemds_ ? std::string(1, kSystemds) : std::string();
  text += std::to_string(fd_.get());
  // What reads the number alone (before 0.2) passes over this.
  if (file_) text += fmt::format(" {} {}", file_->device, file_->inode);
  ::setenv(daemon::kListenerVariable, text.c_str(), 1);
  ::fcntl(fd_.get(), F_SETFD, 0);
  ::execv(program.c_str(), const_cast<char* const*>(argv));
  ::fcntl(fd_.get(), F_SETFD, FD_CLOEXEC);
  ::unsetenv(daemon::kListenerVariable);
}

void DaemonListener::remove() noexcept {
  if (!is_systemds_ && !is_displaced()) ::unlink(path_.c_str());
}

}  // namespace unicni
