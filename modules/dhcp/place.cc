#include "place.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "unicni/error.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/proc.h"

namespace unicni::dhcp {

namespace {

/// 0: our own.
std::string process_file(pid_t pid, const char* name) {
  return fmt::format("/proc/{}/{}", pid == 0 ? "thread-self" : std::to_string(pid), name);
}

/// nullopt: something else is there, or nothing.
std::optional<net::LinkInNetns> open_place(const std::string& path, const Place& place,
                                           const Mac& mac) {
  return net::find_kept_link(path, {place.netns, place.if_name, place.index, mac, place.kind});
}

/// `path` as a process sees it whose root that folder is; symbolic links stay in there. Empty:
/// there is none, or this kernel (before 5.6) can't do it.
sys::Fd open_in(const std::string& root, const std::string& path) {
  const sys::Fd folder(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return {};
  open_how how{};
  how.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK;
  how.resolve = RESOLVE_IN_ROOT;
  return sys::Fd(
      static_cast<int>(::syscall(SYS_openat2, folder.get(), path.c_str(), &how, sizeof how)));
}

/// Of the first process there; the others see the same.
std::optional<net::LinkInNetns> find_by_view(const std::vector<pid_t>& processes,
                                             const Place& place, const Mac& mac) {
  constexpr int kMost = 4;  // one may have a root of its own
  int looked = 0;
  for (const pid_t process : processes) {
    if (view_of(process) != place.view) continue;
    const sys::Fd file = open_in(process_file(process, "root"), place.netns_path);
    if (file) {
      auto found = open_place(sys::proc_path_of(file.get()), place, mac);
      if (found) return found;
    }
    if (++looked == kMost) break;
  }
  return std::nullopt;
}

/// By those that live in it.
std::optional<net::LinkInNetns> find_by_processes(const std::vector<pid_t>& processes,
                                                  const Place& place, const Mac& mac) {
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const pid_t process : processes) {
    const std::string path = process_file(process, "ns/net");
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) continue;
    if (!seen.emplace(status.st_dev, status.st_ino).second) continue;
    if (auto found = open_place(path, place, mac)) return found;
  }
  return std::nullopt;
}

/// "/run/netns/a b" of "/run/netns/a\\040b" (proc(5), mountinfo).
std::string unescaped(std::string_view text) {
  constexpr std::size_t kDigits = 3;
  std::string path;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned code = 0;
    const char* digits = text.data() + at + 1;
    if (text[at] == '\\' && text.size() - at > kDigits &&
        std::from_chars(digits, digits + kDigits, code, 8).ptr == digits + kDigits) {
      path += static_cast<char>(code);
      at += kDigits;
    } else {
      path += text[at];
    }
  }
  return path;
}

/// By the files that namespaces are mounted on, as `ip netns` and container engines do it.
std::optional<net::LinkInNetns> find_by_mounts(const Place& place, const Mac& mac) {
  std::istringstream lines(sys::read_proc("/proc/thread-self/mountinfo"));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string skipped;
    std::string root;
    std::string path;
    words >> skipped >> skipped >> skipped >> root >> path;
    if (!root.starts_with("net:[")) continue;
    if (auto found = open_place(unescaped(path), place, mac)) return found;
  }
  return std::nullopt;
}

}  // namespace

std::string view_of(pid_t pid) { return sys::read_proc_link(process_file(pid, "ns/mnt")); }

std::optional<net::LinkInNetns> find_by_path(const std::string& prefix, const Place& place,
                                             const Mac& mac) {
  return open_place(prefix + place.netns_path, place, mac);
}

std::optional<net::LinkInNetns> find_place(const std::string& prefix, const Place& place,
                                           const Mac& mac) {
  if (auto found = find_by_path(prefix, place, mac)) return found;
  if (place.given >= 0) {
    if (auto found = open_place(sys::proc_path_of(place.given), place, mac)) {
      return found;
    }
  }
  const std::vector<pid_t> processes = sys::list_processes();
  if (!place.view.empty() && place.view != view_of(0)) {
    if (auto found = find_by_view(processes, place, mac)) return found;
  }
  if (auto found = find_by_processes(processes, place, mac)) return found;
  return find_by_mounts(place, mac);
}

}  // namespace unicni::dhcp
