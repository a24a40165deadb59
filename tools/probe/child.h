// A program that is run with pipes at its output: a plugin, a server, or ip(8) and its like.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace unicni::probe {

/// The whole environment of a tool of the system's.
inline constexpr const char* kPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

struct Spawn {
  std::vector<std::string> argv;      ///< argv[0] without '/' is looked up in PATH
  std::vector<std::string> env = {};  ///< "K=V"; the whole environment of the program
  std::string in = {};                ///< its stdin, a file in memory
  std::vector<int> closed = {};       ///< standard descriptors that it has not, not even empty ones
  int netns = -1;            ///< descriptor of the network namespace to run in; -1: the caller's
  std::string program = {};  ///< file to execute if it isn't argv[0]
  std::string folder = {};   ///< its working folder; empty: the caller's
  /// In a session of its own, so that "kill 0" reaches nobody but what it started.
  bool own_session = false;
  std::chrono::milliseconds limit{60000};  ///< for whoever waits: then it is killed
};

/// The process. Killed and reaped when destroyed. One that can't be executed exits with 126, one
/// that can't enter the namespace with 125.
class Child {
 public:
  /// Throws std::runtime_error if there is no process to be had.
  explicit Child(const Spawn& spawn);
  Child(Child&& other) noexcept;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  Child& operator=(Child&&) = delete;
  ~Child();

  [[nodiscard]] int pid() const { return pid_; }
  /// Somebody has its stdout or stderr open: itself, or what it left.
  [[nodiscard]] bool is_printing() const { return out_ >= 0 || err_ >= 0; }
  /// read() has seen its end.
  [[nodiscard]] bool has_ended() const { return has_ended_; }
  /// Waits at most that long for something to read, or for its end; appends what there is.
  void read(std::chrono::milliseconds most, std::string& out, std::string& err);
  /// Waits at most that long for its end, without reaping it.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds most) const;
  void kill() const;
  /// Waits for its end and forgets it; returns the status of waitpid(2).
  int reap();
  /// The errno of execve(2) if it couldn't be executed, else 0. After reap().
  [[nodiscard]] int exec_error() const;

 private:
  int pid_ = -1;
  int process_ = -1;
  int out_ = -1;
  int err_ = -1;
  int failure_ = -1;  ///< a pipe on which the errno of execve(2) comes
  bool has_ended_ = false;
};

}  // namespace unicni::probe
