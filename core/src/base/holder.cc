#include "base/holder.h"

#include <fmt/core.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>
#include <vector>

#include "unicni/error.h"
#include "unicni/sys/file.h"
#include "unicni/sys/proc.h"

namespace unicni::sys {
namespace {

constexpr std::chrono::milliseconds kScanTime{100};

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end != 0) words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

template <class T>
T number(std::string_view text, T otherwise) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : otherwise;
}

/// proc_locks(5): "1: FLOCK ADVISORY WRITE 4711 00:19:12345 0 EOF"; waiting ones have "->" in
/// second place.
std::optional<pid_t> pid_from_locks(const struct stat& file) {
  const std::string id =
      fmt::format("{:02x}:{:02x}:{}", major(file.st_dev), minor(file.st_dev), file.st_ino);
  const std::string locks = read_proc("/proc/locks");
  for (const std::string_view line : split(locks, '\n')) {
    const auto words = split(line, ' ');
    if (words.size() >= 6 && words[1] == "FLOCK" && words[5] == id) {
      return number<pid_t>(words[4], 0);
    }
  }
  return std::nullopt;
}

/// /proc/locks shows process numbers of its own PID namespace. Where the holder is in another one
/// it shows 0, and all that is left is to look who has the file open.
bool holds_open(const std::string& process, const struct stat& file) {
  for (const auto& name : list_folder(process + "/fd")) {
    struct stat other {};
    if (::stat((process + "/fd/" + name).c_str(), &other) != 0) continue;
    if (other.st_dev != file.st_dev || other.st_ino != file.st_ino) continue;
    // fdinfo shows a lock only if it belongs to that very open file.
    const std::string info = read_proc(process + "/fdinfo/" + name);
    if (info.find("FLOCK") != info.npos) return true;
  }
  return false;
}

/// A child that inherited the lock is mostly among the first processes behind its parent `dead`
/// (0: nobody knows who that was).
std::optional<pid_t> pid_from_open_files(const struct stat& file, pid_t dead) {
  const auto end = std::chrono::steady_clock::now() + kScanTime;
  std::vector<pid_t> pids = list_processes();
  std::ranges::sort(pids);
  std::rotate(pids.begin(), std::ranges::upper_bound(pids, dead), pids.end());
  for (const pid_t pid : pids) {
    if (std::chrono::steady_clock::now() > end) break;
    try {
      if (holds_open(fmt::format("/proc/{}", pid), file)) return pid;
    } catch (const Error&) {  // ended meanwhile, or not ours to look at
    }
  }
  return std::nullopt;
}

double age_of(pid_t pid) {
  const std::string stat = read_proc(fmt::format("/proc/{}/stat", pid));
  // The second field is the program's name in parentheses and may hold anything; field 22 is the
  // start in clock ticks since boot, so number 20 of those behind the last parenthesis.
  const std::size_t paren = stat.rfind(')');
  if (paren == stat.npos) return -1;
  const auto fields = split(std::string_view(stat).substr(paren + 1), ' ');
  if (fields.size() < 20) return -1;
  const auto ticks = number<long long>(fields[19], -1);
  timespec now{};
  if (ticks < 0 || ::clock_gettime(CLOCK_BOOTTIME, &now) != 0) return -1;
  const double start = static_cast<double>(ticks) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double age =
      static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9 - start;
  return age < 0 ? 0 : age;
}

/// Plugins get their verb by the environment. Another program has none.
std::string verb_of(pid_t pid) {
  constexpr std::string_view kVariable = "CNI_COMMAND=";
  const std::string environment = read_proc(fmt::format("/proc/{}/environ", pid));
  for (const std::string_view word : split(environment, '\0')) {
    if (word.starts_with(kVariable)) return std::string(word.substr(kVariable.size(), 16));
  }
  return {};
}

std::string program_of(pid_t pid) {
  std::string name = read_proc(fmt::format("/proc/{}/comm", pid));
  if (!name.empty() && name.back() == '\n') name.pop_back();
  return name;
}

}  // namespace

std::string LockHolder::str() const {
  if (program.empty()) return fmt::format("pid {} (ended)", pid);
  std::string text = fmt::format("pid {} ({}", pid, program);
  if (!verb.empty()) text += ", " + verb;
  if (age_seconds >= 0) text += fmt::format(", running for {:.1f} s", age_seconds);
  return text + ')';
}

/// Best effort, for a message. What it says may be out of date by the time it is read.
std::optional<LockHolder> find_lock_holder(int fd) {
  struct stat file {};
  if (::fstat(fd, &file) != 0) return std::nullopt;
  const auto named = pid_from_locks(file);
  LockHolder holder;
  if (named && *named > 0) {
    holder.pid = *named;
    holder.program = program_of(holder.pid);
  }
  if (holder.program.empty()) {
    if (const auto found = pid_from_open_files(file, holder.pid)) {
      holder.pid = *found;
      holder.program = program_of(holder.pid);
    }
  }
  if (holder.pid == 0) return std::nullopt;
  holder.verb = verb_of(holder.pid);
  holder.age_seconds = age_of(holder.pid);
  return holder;
}

}  // namespace unicni::sys
