#include "conformance/private_host.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>
#include <utility>

#include "probe/process.h"

namespace unicni::conformance {
namespace {

constexpr const char* kOwnNetns = "/proc/thread-self/ns/net";
constexpr const char* kEmptied[] = {"/run", "/var/lib"};
/// Chains and policies of the machine's administrator, who may deny what a check asks for. Hidden
/// where it is there. /etc/cni stays, as plugins of other makers keep credentials in it.
constexpr const char* kSettings = "/etc/unicni";

void require(bool done, const std::string& what) {
  if (!done) throw std::runtime_error(what + ": " + std::strerror(errno));
}

/// A young namespace takes these from the machine (net.core.devconf_inherit_init_net), which may
/// forward, filter or have no IPv6. A kernel without IPv6 has none of its files.
void set_kernel_defaults() {
  constexpr std::pair<const char*, const char*> kDefaults[] = {
      {"ipv4/ip_forward", "0"},  // before the others: it changes some of them
      {"ipv4/conf/*/rp_filter", "0"},
      {"ipv4/conf/*/route_localnet", "0"},
      {"ipv4/conf/*/arp_notify", "0"},
      {"ipv4/conf/*/proxy_arp", "0"},
      {"ipv4/conf/*/accept_local", "0"},
      {"ipv6/conf/all/forwarding", "0"},
      {"ipv6/conf/*/disable_ipv6", "0"},
      {"ipv6/conf/all/accept_dad", "0"},
      {"ipv6/conf/default/accept_dad", "1"},
  };
  for (const auto& [key, value] : kDefaults) {
    const std::string path = std::string("/proc/sys/net/") + key;
    const std::size_t star = path.find('*');
    if (star == path.npos) {
      std::ofstream(path) << value;
      continue;
    }
    for (const char* link : {"all", "default"}) {
      std::ofstream(std::string(path).replace(star, 1, link)) << value;
    }
  }
}

/// The folders of `keep` that will be hidden, by descriptors that still reach them.
std::map<std::string, int> hold(const std::vector<std::string>& keep) {
  std::map<std::string, int> held;
  for (const std::string& folder : keep) {
    for (const char* emptied : kEmptied) {
      if (!folder.starts_with(std::string(emptied) + '/')) continue;
      const int fd = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
      if (fd < 0 && errno == ENOENT) continue;
      require(fd >= 0, "open " + folder);
      held.emplace(folder, fd);
    }
  }
  return held;
}

void hide(const char* folder) {
  // Memory, which a plugin may try to fill.
  require(::mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=256m") == 0,
          std::string("mount tmpfs on ") + folder);
}

void enter_private_host(const std::vector<std::string>& keep) {
  require(::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0, "make / private");
  // Without a /proc of the new pid namespace /proc/self still works, so what forbids it (a masked
  // /proc in a container) is no obstacle.
  ::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr);
  const std::map<std::string, int> held = hold(keep);
  for (const char* folder : kEmptied) hide(folder);
  if (std::error_code error; std::filesystem::is_directory(kSettings, error)) hide(kSettings);
  for (const auto& [folder, fd] : held) {
    std::filesystem::create_directories(folder);
    const std::string source = "/proc/self/fd/" + std::to_string(fd);
    require(::mount(source.c_str(), folder.c_str(), nullptr, MS_BIND, nullptr) == 0,
            "mount " + folder);
    ::close(fd);
  }
  std::filesystem::create_directories("/run/netns");
  set_kernel_defaults();
  probe::tool({"ip", "link", "set", "lo", "up"});
}

void write_all(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const auto written = ::write(fd, text.data() + done, text.size() - done);
    if (written <= 0) return;
    done += static_cast<std::size_t>(written);
  }
}

/// The first letter of what goes through the pipe. The last byte is the number of a signal.
constexpr char kDone = '+';
constexpr char kFailed = '-';

[[noreturn]] void do_work(int result, const std::function<std::string()>& work,
                          const std::vector<std::string>& keep) {
  try {
    enter_private_host(keep);
    write_all(result, kDone + work());
  } catch (const std::exception& error) {
    write_all(result, kFailed + std::string(error.what()));
  }
  ::_exit(0);
}

/// Process 1 of the namespace: reaps what plugins leave, and takes all with it when the work ends.
/// A plugin that kills or stops whoever it can see can do that to the worker, and not to this one.
[[noreturn]] void be_init(int result, const std::function<std::string()>& work,
                          const std::vector<std::string>& keep) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const pid_t worker = ::fork();
  if (worker == 0) do_work(result, work, keep);
  int state = 0;
  for (pid_t ended = 0; ended != worker && (ended >= 0 || errno == EINTR);) {
    ended = ::waitpid(-1, &state, WUNTRACED);
  }
  const int signal = WIFSIGNALED(state) ? WTERMSIG(state) : WIFSTOPPED(state) ? WSTOPSIG(state) : 0;
  write_all(result, std::string(1, static_cast<char>(signal)));
  ::_exit(0);
}

/// Between the suite and the namespace's process 1, which only a child of one that unshared can be.
[[noreturn]] void be_parent_of_init(int result, const std::function<std::string()>& work,
                                    const std::vector<std::string>& keep) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) != 0) {
    write_all(result, kFailed + std::string("unshare: ") + std::strerror(errno) +
                          "; run as root, or under \"unshare -Urnm\"" + '\0');
    ::_exit(1);
  }
  const pid_t init = ::fork();
  if (init == 0) be_init(result, work, keep);
  ::close(result);
  ::waitpid(init, nullptr, 0);
  ::_exit(0);
}

/// What came through the pipe: a letter and a text, unless the work's process ended before, and the
/// signal that ended it.
Isolated ending(std::string text) {
  const int signal = text.empty() ? 0 : text.back();
  if (!text.empty()) text.pop_back();
  if (signal != 0) {
    return {.finished = false,
            .signal = signal,
            .text = "its process got signal " + std::to_string(signal)};
  }
  if (text.empty()) return {.finished = false, .text = "its process died"};
  return {.finished = text[0] == kDone, .text = text.substr(1)};
}

/// What comes until its writers have ended; false if the time was up first.
bool read_until(int fd, std::chrono::steady_clock::time_point end, std::string& text) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    pollfd file{fd, POLLIN, 0};
    if (left.count() <= 0) return false;
    if (::poll(&file, 1, static_cast<int>(left.count())) <= 0) continue;
    char buffer[16384];
    const auto got = ::read(fd, buffer, sizeof buffer);
    if (got > 0) {
      text.append(buffer, static_cast<std::size_t>(got));
    } else if (got == 0 || errno != EINTR) {
      return true;
    }
  }
}

}  // namespace

Isolated isolated(const std::function<std::string()>& work, std::chrono::milliseconds limit,
                  const std::vector<std::string>& keep) {
  const auto end = std::chrono::steady_clock::now() + limit;
  int result[2];
  require(::pipe2(result, O_CLOEXEC) == 0, "pipe");
  const pid_t child = ::fork();
  require(child >= 0, "fork");
  if (child == 0) be_parent_of_init(result[1], work, keep);
  ::close(result[1]);
  std::string text;
  const bool in_time = read_until(result[0], end, text);
  ::close(result[0]);
  if (!in_time) ::kill(child, SIGKILL);  // process 1 gets SIGKILL for it, and takes all with it
  ::waitpid(child, nullptr, 0);
  if (!in_time) {
    return {.finished = false, .text = "not done after " + std::to_string(limit.count()) + " ms"};
  }
  return ending(std::move(text));
}

Container::Container(const std::string& name) : path_("/run/netns/" + name) {
  write_file(path_, "");
  const int host = ::open(kOwnNetns, O_RDONLY | O_CLOEXEC);
  require(host >= 0 && ::unshare(CLONE_NEWNET) == 0, "unshare");
  set_kernel_defaults();
  const bool mounted = ::mount(kOwnNetns, path_.c_str(), nullptr, MS_BIND, nullptr) == 0;
  fd_ = ::open(kOwnNetns, O_RDONLY | O_CLOEXEC);
  require(::setns(host, CLONE_NEWNET) == 0, "setns");
  ::close(host);
  require(mounted, "mount " + path_);
}

void Container::skip_duplicate_detection() const {
  const int host = ::open(kOwnNetns, O_RDONLY | O_CLOEXEC);
  require(host >= 0 && ::setns(fd_, CLONE_NEWNET) == 0, "setns");
  std::ofstream("/proc/sys/net/ipv6/conf/default/accept_dad") << "0";
  require(::setns(host, CLONE_NEWNET) == 0, "setns");
  ::close(host);
}

Container::Container(Container&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

Container::~Container() {
  if (fd_ >= 0) remove();
}

void Container::remove() {
  ::umount2(path_.c_str(), MNT_DETACH);
  ::unlink(path_.c_str());
  ::close(std::exchange(fd_, -1));
}

void write_file(const std::string& path, const std::string& text, unsigned mode) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  require(::chmod(path.c_str(), mode) == 0, "write " + path);
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  require(in.is_open(), "read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace unicni::conformance
