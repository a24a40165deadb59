#include "unicni/sys/proc.h"

#include <charconv>
#include <string>

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

}  // namespace unicni::sys
