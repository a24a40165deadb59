#include "unicni/sys/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <sstream>
#include <thread>

#include "base/temp_folder_for_test.h"
#include "unicni/error.h"
#include "unicni/sys/fd.h"
#include "unicni/sys/file.h"

namespace unicni::sys::process_test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using ::testing::HasSubstr;

class Process : public ::testing::Test {
 protected:
  std::string script(const std::string& body) {
    const std::string path = folder_ / "script";
    remove_file(path);
    EXPECT_TRUE(create_file(path, "#!/bin/sh\n" + body + "\n", 0700));
    return path;
  }
  ProcessResult run(const std::string& body, std::string_view input = {},
                    Clock::duration time = 20s) {
    return run_process(script(body), {"PATH=/usr/bin:/bin", "GREETING=hello world"}, input,
                       Clock::now() + time);
  }
  static std::string error_of(const std::string& program, Clock::duration time = 5s) {
    try {
      run_process(program, {}, {}, Clock::now() + time);
    } catch (const Error& error) {
      return error.msg();
    }
    return "no error";
  }
  TempFolder folder_;
};

TEST_F(Process, GetsInputAndEnvironmentAndGivesOutput) {
  const auto result = run("echo \"$0|$#|$GREETING|$HOME\"; cat; exit 3", "the request");
  EXPECT_EQ(result.out, (folder_ / "script") + "|0|hello world|\nthe request");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.signal, 0);
  EXPECT_FALSE(result.timed_out);
}

TEST_F(Process, ArgumentsFollowTheProgram) {
  const auto result = run_process(script("for i; do echo \"[$i]\"; done"), {}, {},
                                  Clock::now() + 20s, {"-w", "two words", ""});
  EXPECT_EQ(result.out, "[-w]\n[two words]\n[]\n");
}

TEST_F(Process, StderrIsPassedOnToTheLogAloneAndItsTailIsKept) {
  class Heard final : public LogSink {
   public:
    void log(LogLevel, std::string_view, std::string_view) noexcept override {}
    void pass_on(std::string_view bytes) noexcept override { text += bytes; }
    std::string text;
  };
  Heard heard;
  ::testing::internal::CaptureStderr();
  const auto result = run_process(script("head -c 10000 /dev/zero | tr '\\0' x >&2; echo END >&2"),
                                  {"PATH=/usr/bin:/bin"}, {}, Clock::now() + 20s, {}, &heard);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(heard.text.size(), 10004U);
  EXPECT_EQ(result.err_tail, heard.text.substr(heard.text.size() - 4096));
}

TEST_F(Process, LargeInputAndOutputDoNotDeadlock) {
  const std::string input(3U << 20U, 'i');
  EXPECT_EQ(run("cat", input).out, input);
}

TEST_F(Process, OutputIsCapped) {
  const auto result = run("head -c 34000000 /dev/zero");
  EXPECT_EQ(result.out.size(), kOutputLimit);
  EXPECT_EQ(result.exit_status, 0);
}

TEST_F(Process, ProgramThatDoesNotReadIsFine) {
  const std::string input(1U << 20U, 'i');
  const auto result = run("exec <&-; echo done", input);
  EXPECT_EQ(result.out, "done\n");
  EXPECT_EQ(result.exit_status, 0);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST_F(Process, InputIsEmptyAndClosedWhenNoneIsGiven) {
  EXPECT_EQ(run("cat; echo end").out, "end\n");
}

TEST_F(Process, SignalIsReported) {
  const auto result = run("kill -SEGV $$");
  EXPECT_EQ(result.signal, SIGSEGV);
  EXPECT_EQ(result.exit_status, -1);
  EXPECT_FALSE(result.timed_out);
}

TEST_F(Process, WholeGroupIsKilledAtTheDeadline) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that its orphans become ours
  const auto start = Clock::now();
  const auto result = run("trap '' TERM; sleep 100 & echo $$; wait; sleep 100", {}, 100ms);
  const auto took = Clock::now() - start;
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_GE(took, 300ms);
  EXPECT_LT(took, 2s);
  const pid_t group = std::stoi(result.out);
  int status = 0;
  while (::waitpid(-group, &status, 0) > 0) EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_EQ(::kill(-group, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST_F(Process, MayCleanUpAtTheDeadline) {
  const auto start = Clock::now();
  const auto result =
      run("trap 'echo cleaned; exit 5' TERM; while :; do sleep 0.01; done", {}, 100ms);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_status, 5);
  EXPECT_EQ(result.out, "cleaned\n");
  EXPECT_LT(Clock::now() - start, 290ms) << "a group that is gone is not waited for";
}

TEST_F(Process, PipesHeldByChildrenAreNotWaitedFor) {
  const auto start = Clock::now();
  const auto result = run("sleep 3 & echo early");
  EXPECT_EQ(result.out, "early\n");
  EXPECT_FALSE(result.timed_out);
  EXPECT_LT(Clock::now() - start, 2s);
}

TEST_F(Process, BusyExecutableIsRetried) {
  const std::string program = folder_ / "program";
  ASSERT_TRUE(create_file(program, *read_file("/bin/true"), 0700));
  int busy = ::open(program.c_str(), O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(error_of(program, 30ms), "execute " + program + ": Text file busy (ETXTBSY)");
  std::thread closer([busy] {
    std::this_thread::sleep_for(50ms);
    ::close(busy);
  });
  EXPECT_EQ(run_process(program, {}, {}, Clock::now() + 5s).exit_status, 0);
  closer.join();
}

TEST_F(Process, WhatCannotBeStartedIsAnError) {
  EXPECT_EQ(error_of("/nonexistent/x"),
            "execute /nonexistent/x: No such file or directory (ENOENT)");
  ASSERT_TRUE(create_file(folder_ / "plain", "text", 0600));
  EXPECT_THAT(error_of(folder_ / "plain"), HasSubstr("EACCES"));
  ASSERT_TRUE(create_file(folder_ / "no-magic", "text", 0700));
  EXPECT_THAT(error_of(folder_ / "no-magic"), HasSubstr("ENOEXEC"));
  EXPECT_THAT(error_of("/bin/true", -1s), HasSubstr("no time is left"));
}

TEST_F(Process, HasOwnGroupPlainSignalsAndNoForeignDescriptors) {
  int inheritable = 0;  // what this test got from its own caller
  for (const auto& name : list_folder("/proc/self/fd")) {
    const int flags = ::fcntl(std::stoi(name), F_GETFD);
    if (std::stoi(name) > 2 && flags >= 0 && (flags & FD_CLOEXEC) == 0) ++inheritable;
  }
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const auto result =
      run("ls /proc/self/fd | wc -l; grep -E 'Sig(Blk|Ign)' /proc/self/status; ps -o pgid= -p $$; "
          "echo $$");
  ::signal(SIGPIPE, before);
  std::istringstream lines(result.out);
  int descriptors = 0;
  std::string blocked;
  std::string ignored;
  std::string key;
  pid_t group = 0;
  pid_t pid = -1;
  lines >> descriptors >> key >> blocked >> key >> ignored >> group >> pid;
  EXPECT_EQ(descriptors, inheritable + 4) << "stdin, stdout, stderr and ls's own";
  EXPECT_EQ(std::stoull(blocked, nullptr, 16), 0U);
  EXPECT_EQ(std::stoull(ignored, nullptr, 16) & 0x7fffffffU, 0U) << "above are glibc's own";
  EXPECT_EQ(group, pid);
}

}  // namespace
}  // namespace unicni::sys::process_test
