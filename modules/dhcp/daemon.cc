#include "daemon.h"

#include <dlfcn.h>
#include <fmt/core.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "flags.h"
#include "keeper.h"
#include "unicni/daemon_listener.h"
#include "unicni/error.h"
#include "unicni/sha512.h"
#include "unicni/sys/file.h"
#include "unicni/sys/process.h"

namespace unicni::dhcp {

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// A daemon that a verb started has no stderr; its lines are the system's then.
class Words {
 public:
  Words() {
    struct stat status {};
    const bool known = ::fstat(STDERR_FILENO, &status) == 0;
    constexpr unsigned kMemoryDevices = 1;
    constexpr unsigned kNull = 3;
    to_syslog_ = !known || (S_ISCHR(status.st_mode) && major(status.st_rdev) == kMemoryDevices &&
                            minor(status.st_rdev) == kNull);
    if (to_syslog_) ::openlog("unicni-dhcp", LOG_PID, LOG_DAEMON);
  }
  void say(LogLevel level, const std::string& text) const {
    if (to_syslog_) {
      const int priority = level == LogLevel::error     ? LOG_ERR
                           : level == LogLevel::warning ? LOG_WARNING
                                                        : LOG_INFO;
      ::syslog(priority, "%s", text.c_str());
      return;
    }
    std::fprintf(stderr, "dhcp: %s\n", text.c_str());
    std::fflush(stderr);
  }

 private:
  bool to_syslog_ = false;
};

/// A file as it was when this process began.
class Watched {
 public:
  explicit Watched(std::string path) : path_(std::move(path)) { known_ = read(first_); }
  /// Another file stands in its place. One that is gone for the moment is no change.
  [[nodiscard]] bool has_changed() const {
    struct stat now {};
    return known_ && read(now) &&
           (now.st_dev != first_.st_dev || now.st_ino != first_.st_ino ||
            now.st_mtim.tv_sec != first_.st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != first_.st_mtim.tv_nsec);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  bool read(struct stat& into) const { return ::stat(path_.c_str(), &into) == 0; }
  std::string path_;
  struct stat first_ {};
  bool known_ = false;
};

std::string own_executable() {
  char buffer[PATH_MAX];
  const ssize_t size = ::readlink("/proc/self/exe", buffer, sizeof buffer);
  return size <= 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(size));
}

std::string own_module() {
  Dl_info info{};
  return ::dladdr(reinterpret_cast<void*>(&run_daemon), &info) != 0 && info.dli_fname != nullptr
             ? std::string(info.dli_fname)
             : std::string();
}

/// A program whose cgroup is a kubelet's or a container engine's would end when that is restarted.
/// The daemon asks systemd for a scope of its own. Not that of a service: systemd itself started
/// that one.
void leave_cgroup(const std::string& socket, const Words& words) {
  constexpr const char* kBusctl = "/usr/bin/busctl";
  if (::access("/run/systemd/system", F_OK) != 0 || ::access(kBusctl, X_OK) != 0 ||
      std::getenv("INVOCATION_ID") != nullptr) {
    return;
  }
  const std::string scope = fmt::format("unicni-dhcp-{}.scope", sha512_hex(socket).substr(0, 8));
  const std::string bus = std::getenv("DBUS_SYSTEM_BUS_ADDRESS") == nullptr
                              ? std::string()
                              : std::getenv("DBUS_SYSTEM_BUS_ADDRESS");
  std::vector<std::string> env;
  if (!bus.empty()) env.push_back("DBUS_SYSTEM_BUS_ADDRESS=" + bus);
  try {
    const auto result = sys::run_process(
        kBusctl, env, {}, std::chrono::steady_clock::now() + seconds(2),
        {"--system", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
         "org.freedesktop.systemd1.Manager", "StartTransientUnit", "ssa(sv)a(sa(sv))", scope,
         "replace", "2", "Description", "s", "DHCP leases of containers (unicni)", "PIDs", "au",
         "1", std::to_string(::getpid()), "0"});
    if (result.exit_status != 0) {
      words.say(LogLevel::warning, "no scope of systemd's: " + result.err_tail);
    }
  } catch (const Error& error) {
    words.say(LogLevel::warning, std::string("no scope of systemd's: ") + error.msg());
  }
}

/// The namespace of the verb that started it would stay as long as the daemon does, which has
/// nothing to do there: its sockets are in those of containers.
void leave_netns(const Words& words) {
  if (::unshare(CLONE_NEWNET) == 0) return;
  words.say(LogLevel::warning,
            fmt::format("stays in the network namespace that it was started in: {}",
                        std::strerror(errno)));
}

/// As many descriptors as there may be: an ADD at work has three.
void raise_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

sys::Fd end_signals() {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  ::sigprocmask(SIG_BLOCK, &ends, nullptr);
  sys::Fd fd(::signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw system_error(errno, "signalfd");
  return fd;
}

KeeperSettings settings_of(const DaemonFlags& flags) {
  KeeperSettings settings;
  settings.socket = flags.socket_path;
  settings.host_prefix = flags.host_prefix;
  settings.folder = flags.host_prefix + flags.folder;
  settings.patience.first = std::min(settings.patience.first, flags.timeout);
  settings.patience.longest = std::min(flags.timeout, flags.resend_max);
  settings.patience.longest_alone = flags.resend_max;
  settings.most_time = flags.resend_timeout;
  settings.broadcast = flags.broadcast;
  return settings;
}

}  // namespace

int run_daemon(int argc, const char* const* argv) {
  const DaemonFlags flags = parse_flags(argc - 1, argv + 1);
  if (flags.help) {
    std::puts(usage());
    return 0;
  }
  const Words words;
  ::umask(077);
  raise_limit();
  const sys::Fd ends = end_signals();
  if (!flags.pid_file.empty()) {
    sys::overwrite_file(flags.pid_file, std::to_string(::getpid()) + '\n', 0644);
  }
  leave_netns(words);
  DaemonListener listener = DaemonListener::open("dhcp", flags.host_prefix + flags.socket_path);
  leave_cgroup(flags.socket_path, words);
  const Watched executable(own_executable());
  const Watched module(own_module());

  Keeper keeper(settings_of(flags), listener,
                [&](LogLevel level, const std::string& text) { words.say(level, text); });
  keeper.load();
  words.say(LogLevel::info, "serves " + flags.socket_path);

  constexpr Span kLongestTurn{60'000};
  constexpr Span kSettleTime{1'000};
  Instant changed = kNever;
  for (;;) {
    if (keeper.turn(ends.get(), changed == kNever ? kLongestTurn : kSettleTime)) break;
    if (changed == kNever && (executable.has_changed() || module.has_changed())) {
      changed = boot_time();
    }
    // An upgrade has several files: a moment later all of them are there.
    if (changed == kNever || boot_time() - changed < kSettleTime || keeper.is_busy()) continue;
    words.say(LogLevel::info, "the program was replaced: the new one goes on");
    std::vector<const char*> line{"dhcp"};
    line.insert(line.end(), argv, argv + argc);
    line.push_back(nullptr);
    listener.hand_over(executable.path(), line.data());
    words.say(LogLevel::error, "it can't be executed");
    changed = kNever;
  }
  if (listener.is_displaced()) {
    words.say(LogLevel::warning,
              flags.socket_path + " was removed, and another process listens there now");
  }
  listener.remove();
  if (!flags.pid_file.empty()) ::unlink(flags.pid_file.c_str());
  words.say(LogLevel::info, "ends; its leases stay");
  return 0;
}

}  // namespace unicni::dhcp
