// The address of a daemon's socket, and who is behind it.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>

#include "unicni/daemon.h"
#include "unicni/deadline.h"
#include "unicni/sys/fd.h"

namespace unicni::daemon {

/// How a process is told the number of the socket that it listens on; systemd's are LISTEN_*.
inline constexpr const char* kListenerVariable = "UNICNI_LISTENER";
/// That number.
inline constexpr int kListenerFd = 3;
/// Room for verbs that wait while the daemon starts, or is at something.
inline constexpr int kBacklog = 512;

/// Connects to the daemon `name`; nullopt: nobody listens. Waits while its queue is full: until the
/// deadline, then throws DaemonSilent; or a second, if who listens is_stranger(), then throws
/// DaemonStranger, as at once for a socket of another type. Throws Error for anything else.
std::optional<sys::Fd> connect(const std::string& name, const std::string& path, Deadline deadline);
/// A new listening socket, in place of the file that a dead daemon left. The caller holds
/// lock_file(). Throws Error.
sys::Fd listen(const std::string& path);
/// The folder that a socket's path is in, made if it is absent. Throws Error: also for a path that
/// no socket can have.
void ensure_folder_of(const std::string& path);
/// Who makes or starts something at `path` holds it.
std::string lock_file(const std::string& path);

/// Who listened when the connection was made; 0: unknown.
pid_t peer_of(int connection);
/// Who has the socket that listens at `path`, a daemon of ours before others, as far as /proc shows
/// it; 0: unknown. May take 0.1 s.
pid_t listener_of(const std::string& name, const std::string& path);
/// Whether that process is seen to be no daemon of ours: it runs neither this program, nor the
/// universal executable, nor one with the daemon's name, and no verb has started it.
bool is_stranger(const std::string& name, pid_t pid);
/// Throws stranger() if it is one.
void refuse_stranger(const std::string& name, const std::string& path, pid_t pid);
/// "pid 17 (dhcp)".
std::string name_of(pid_t pid);
/// `pid`, or 0 if it is unknown, has the socket `path` of the daemon `name` and is none of ours.
DaemonStranger stranger(const std::string& name, const std::string& path, pid_t pid);

}  // namespace unicni::daemon
