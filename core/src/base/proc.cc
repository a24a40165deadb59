#include "unicni/sys/proc.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <climits>

#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::sys {

std::vector<pid_t> list_processes() {
  std::vector<pid_t> pids;
  for (const std::string& name : list_folder("/proc")) {
    pid_t pid = 0;
    const char* const end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data(), end, pid);
    if (parsed.ec == std::errc() && parsed.ptr == end) pids.push_back(pid);
  }
  return pids;
}

std::string read_proc(const std::string& path) {
  constexpr std::size_t kLimit = 16U << 20U;
  try {
    return read_file(path, kLimit).value_or("");
  } catch (const Error&) {
    return {};
  }
}

std::string read_proc_link(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  return size <= 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(size));
}

std::string proc_path_of(int fd) { return "/proc/thread-self/fd/" + std::to_string(fd); }

}  // namespace unicni::sys
