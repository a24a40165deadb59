// A daemon's side of its socket: unicni/daemon.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "unicni/error.h"
#include "unicni/line.h"
#include "unicni/sys/fd.h"

namespace unicni {

/// A verb that has connected. Nothing here blocks.
class DaemonConnection {
 public:
  /// `name`: the daemon's, DaemonPlace::name.
  DaemonConnection(sys::Fd fd, std::string name) : fd_(std::move(fd)), name_(std::move(name)) {}

  struct Request {
    Line line;
    sys::Fd attached;  ///< empty: none came
  };
  /// What has come, once it is whole; nullopt: not yet. What is no request is answered with an
  /// error, and the connection has ended.
  std::optional<Request> read();
  /// The verb is gone, or has its answer.
  [[nodiscard]] bool has_ended() const noexcept { return !fd_; }
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }

  /// "ok" with fields, or "error". It is the connection's last word; a verb that is gone doesn't
  /// hear it.
  void answer(Line line) noexcept;
  void refuse(const Error& error) noexcept;
  /// Looks whether the verb waits yet.
  [[nodiscard]] bool is_waited_for() noexcept;

 private:
  sys::Fd fd_;
  std::string name_;
  sys::Fd attached_;
  std::string text_;
};

class DaemonListener {
 public:
  /// The socket that the process was started with (by ask_daemon(), by systemd: sd_listen_fds(3),
  /// or by hand_over()), else a new one at `path`. Throws Error: somebody listens there already, or
  /// systemd gave several.
  static DaemonListener open(const std::string& name, const std::string& path);

  /// Readable when accept() has somebody. It becomes another one once the first verbs are served.
  [[nodiscard]] int fd() const noexcept { return first_ ? first_.get() : fd_.get(); }
  /// The next verb; nullopt: there is none now. Users other than ours and root are turned away.
  std::optional<DaemonConnection> accept();
  /// Executes `program` in place of this process, with the socket: verbs wait in its queue
  /// meanwhile. Returns only if that fails.
  void hand_over(const std::string& program, const char* const* argv) noexcept;
  /// Another socket has the place of this one's file, which somebody removed: verbs go there.
  [[nodiscard]] bool is_displaced() const noexcept;
  /// At a planned end: the socket's file goes, if this process or a verb made it.
  void remove() noexcept;

 private:
  struct FileId {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend bool operator==(const FileId&, const FileId&) = default;
  };
  void move_here();
  static std::optional<FileId> find_file(const std::string& path) noexcept;

  DaemonListener(sys::Fd fd, std::string name, std::string path, bool is_systemds,
                 std::optional<FileId> file);
  sys::Fd fd_;
  sys::Fd first_;  ///< the verb's that started the process, until nobody is in its queue
  std::string name_;
  std::string path_;
  bool is_systemds_;
  std::optional<FileId> file_;
};

}  // namespace unicni
