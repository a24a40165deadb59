// One program under ptrace(2), from system call to system call. What tracer.h and fault.h share.
#pragma once

#include <sys/ptrace.h>

#include <cstdint>
#include <string>

#include "support/process.h"

namespace unicni::test {

class Traced {
 public:
  explicit Traced(const Spawn& spawn);
  Traced(const Traced&) = delete;
  Traced& operator=(const Traced&) = delete;
  ~Traced();

  /// Runs on until it is about to enter a system call; false: it has ended.
  bool next_call();
  /// The call that next_call() stopped at: number and arguments.
  [[nodiscard]] std::uint64_t number() const { return info_.entry.nr; }
  [[nodiscard]] std::uint64_t argument(int index) const { return info_.entry.args[index]; }
  /// Lets the kernel do it and returns what it returned: a value, or a negative errno.
  std::int64_t finish_call();
  /// The kernel doesn't do it; the program gets this errno.
  void fail_call(int error);

  /// What an open descriptor of the program is: a path, "socket:[…]", "" if it isn't open.
  [[nodiscard]] std::string descriptor(std::uint64_t fd) const;
  [[nodiscard]] std::string text_at(std::uint64_t address) const;
  /// Of its memory; shorter if not all of it is there.
  [[nodiscard]] std::string bytes_at(std::uint64_t address, std::size_t size) const;
  void put_bytes(std::uint64_t address, const std::string& bytes) const;

  [[nodiscard]] int pid() const { return pid_; }
  /// Not traced any more; it goes on by itself.
  void let_go();
  void kill();
  /// After its end (or let_go()): how, and what it printed.
  Output output();

 private:
  /// To the next stop in or after a system call; false: it has ended.
  bool step();

  int pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  int state_ = 0;
  bool ended_ = false;
  __ptrace_syscall_info info_{};
};

}  // namespace unicni::test
