// Network namespaces that a test may break: nothing reaches the machine's own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "unicni/net/netns.h"
#include "unicni/sys/process.h"

namespace unicni::net {

/// A namespace without processes, alive as long as this.
class NewNetns {
 public:
  NewNetns() {
    int error = 0;
    std::thread([&] {
      if (::unshare(CLONE_NEWNET) != 0) error = errno;
      fd_ = sys::Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    }).join();
    if (error != 0) throw std::system_error(error, std::generic_category(), "unshare");
    path_ = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_.get());
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] Netns open() const { return Netns::open(path_).value(); }

 private:
  sys::Fd fd_;
  std::string path_;
};

/// Each test runs in a new namespace of its own, and goes back at its end.
class PrivateNetnsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root for network namespaces";
    before_ = sys::Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    ASSERT_EQ(0, ::unshare(CLONE_NEWNET)) << errno;
  }
  void TearDown() override {
    if (before_) {
      ASSERT_EQ(0, ::setns(before_.get(), CLONE_NEWNET)) << errno;
    }
  }

  /// stdout and stderr of a shell command in the calling thread's namespace; fails the test if the
  /// command does.
  static std::string shell(const std::string& command) {
    const auto result = sys::run_process("/bin/sh", {"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, {},
                                         std::chrono::steady_clock::now() + std::chrono::minutes(1),
                                         {"-c", "{ " + command + "\n} 2>&1"});
    EXPECT_EQ(0, result.exit_status) << command << '\n' << result.out;
    return result.out;
  }
  static std::string shell_in(const Netns& netns, const std::string& command) {
    std::string output;
    netns.run([&] { output = shell(command); });
    return output;
  }

 private:
  sys::Fd before_;
};

/// Runs `work` in `count` child processes at once; true if all of them came to a good end.
inline bool in_processes(int count, const std::function<void(int)>& work) {
  std::vector<pid_t> children;
  for (int i = 0; i < count; ++i) {
    const pid_t child = ::fork();
    if (child != 0) {
      children.push_back(child);
      continue;
    }
    int status = 0;
    try {
      work(i);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "process %d: %s\n", i, error.what());
      status = 1;
    }
    ::_exit(status);
  }
  bool fine = true;
  for (const pid_t child : children) {
    int status = 0;
    ::waitpid(child, &status, 0);
    fine = fine && status == 0;
  }
  return fine;
}

}  // namespace unicni::net
