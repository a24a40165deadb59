// What the programs of this folder have in common: complaints, containers, and habits that programs
// around core may have.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

#include "unicni/log.h"

namespace unicni::apps {

/// What went wrong, of all threads; also what core warns of. Printed on stdout.
class Complaints final : public LogSink {
 public:
  void add(const std::string& text);
  [[nodiscard]] bool none();
  void require(bool holds, const std::string& text) {
    if (!holds) add(text);
  }
  /// False: `work` threw.
  bool attempt(const std::string& what, const std::function<void()>& work);
  void log(LogLevel level, std::string_view member, std::string_view text) noexcept override;
  void pass_on(std::string_view bytes) noexcept override;

 private:
  static constexpr int kMost = 20;
  std::mutex mutex_;
  int count_ = 0;
};

/// A network namespace with a file in /run/netns, as `ip netns add` makes it.
class Container {
 public:
  explicit Container(const std::string& name);
  Container(const Container&) = delete;
  Container& operator=(const Container&) = delete;
  ~Container();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// What a program may do that would hurt a library which relied on the opposite.
struct Habits {
  bool ignores_sigchld = false;
  bool waits_for_any = false;  ///< takes the status of whatever child ends
  bool main_ends = false;      ///< its first thread
  bool is_large = false;       ///< 2 GiB resident

  /// --ignores-sigchld, --waits-for-any, --main-ends, --is-large; false: none of them.
  bool read(std::string_view argument);
};

/// Runs `work` as a program with those habits, and never comes back if main_ends. Returns the exit
/// status: 0, if `work` had nothing to complain of.
int live(const Habits& habits, const std::function<void(Complaints&)>& work);

/// How many are open, when those are closed that only wait for the kernel.
std::size_t settled_descriptors();
void require_no_children(Complaints& complaints);

}  // namespace unicni::apps
