#include "place.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "unicni/error.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/file.h"

namespace unicni::dhcp {

namespace {

std::string process_file(const std::string& process, const char* name) {
  return fmt::format("/proc/{}/{}", process, name);
}

std::string view_at(const std::string& link) {
  std::array<char, 64> target{};
  const ssize_t size = ::readlink(link.c_str(), target.data(), target.size());
  return size <= 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
}

/// nullopt: something else is there, or nothing.
std::optional<net::Netns> open_place(const std::string& path, const Place& place, const Mac& mac) {
  std::optional<net::Netns> netns;
  try {
    netns = net::Netns::open(path);
  } catch (const Error& error) {
    if (!error.is(Code::invalid_netns)) throw;
  }
  if (!netns) return std::nullopt;
  net::Netlink links(*netns);
  if (links.identity() != place.netns) return std::nullopt;
  const auto link = net::find_link(links, place.index);
  if (!link || link->mac != mac) return std::nullopt;
  return netns;
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
std::optional<net::Netns> find_by_view(const std::vector<std::string>& processes,
                                       const Place& place, const Mac& mac) {
  constexpr int kMost = 4;  // one may have a root of its own
  int looked = 0;
  for (const std::string& process : processes) {
    if (view_at(process_file(process, "ns/mnt")) != place.view) continue;
    const sys::Fd file = open_in(process_file(process, "root"), place.netns_path);
    if (file) {
      auto netns = open_place(fmt::format("/proc/self/fd/{}", file.get()), place, mac);
      if (netns) return netns;
    }
    if (++looked == kMost) break;
  }
  return std::nullopt;
}

/// By those that live in it.
std::optional<net::Netns> find_by_processes(const std::vector<std::string>& processes,
                                            const Place& place, const Mac& mac) {
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const std::string& process : processes) {
    const std::string path = process_file(process, "ns/net");
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) continue;
    if (!seen.emplace(status.st_dev, status.st_ino).second) continue;
    if (auto netns = open_place(path, place, mac)) return netns;
  }
  return std::nullopt;
}

}  // namespace

std::string view_of(pid_t pid) {
  return view_at(process_file(pid == 0 ? "self" : std::to_string(pid), "ns/mnt"));
}

std::optional<net::Netns> find_place(const std::string& prefix, const Place& place,
                                     const Mac& mac) {
  if (auto netns = open_place(prefix + place.netns_path, place, mac)) return netns;
  if (place.view.empty() || place.view == view_of(0)) return std::nullopt;
  std::vector<std::string> processes = sys::list_folder("/proc");
  std::erase_if(processes, [](const std::string& name) {
    return name.find_first_not_of("0123456789") != std::string::npos;
  });
  if (auto netns = find_by_view(processes, place, mac)) return netns;
  return find_by_processes(processes, place, mac);
}

}  // namespace unicni::dhcp
