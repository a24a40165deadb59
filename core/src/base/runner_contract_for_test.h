// What every ProgramRunner does alike. A test that has one says
//   INSTANTIATE_TEST_SUITE_P(Spawner, RunnerContract, ::testing::Values(RunnerMaker{make_it}));
#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/deadline_for_test.h"
#include "base/error_for_test.h"
#include "base/script_for_test.h"

namespace unicni::sys {

/// `log` hears of what went wrong before a program ran.
struct RunnerMaker {
  std::unique_ptr<ProgramRunner> (*make)(LogSink* log);
  friend void PrintTo(const RunnerMaker&, std::ostream* out) { *out << "a runner"; }
};

class RunnerContract : public ScriptTest, public ::testing::WithParamInterface<RunnerMaker> {
 protected:
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;

  ProcessResult run_it(const std::string& body, std::string_view input = {},
                       milliseconds time = std::chrono::seconds(20)) {
    return run(*runner_, body, input, time);
  }
  std::string failure_of(const std::string& program, milliseconds time = milliseconds(5000)) {
    return error_of([&] { runner_->run(program, {}, {}, Clock::now() + time, {}, nullptr); }).msg();
  }
  /// So that no test's deadline is used up by the runner's own start.
  void SetUp() override {
    ASSERT_EQ(runner_->run("/bin/true", {}, {}, soon(), {}, nullptr).exit_status, 0);
  }
  void TearDown() override { EXPECT_EQ(told_.lines(), "") << "nothing needed a fallback"; }

  const std::unique_ptr<ProgramRunner> runner_ = GetParam().make(&told_);
};

TEST_P(RunnerContract, GivesInputEnvironmentAndArgumentsAndTakesOutput) {
  const auto result = runner_->run(script("echo \"$0|$1|$2|$#|$GREETING|$HOME\"; cat; exit 3"),
                                   {"GREETING=hello world", "PATH=/usr/bin:/bin"}, "the request",
                                   soon(), {"-w", ""}, &told_);
  EXPECT_EQ(result.out, (folder_ / "script") + "|-w||2|hello world|\nthe request");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.signal, 0);
  EXPECT_FALSE(result.timed_out);
}

TEST_P(RunnerContract, InputIsEmptyAndClosedWhenNoneIsGiven) {
  EXPECT_EQ(run_it("cat; echo end").out, "end\n");
}

TEST_P(RunnerContract, InputCanBeOpenedByName) {
  EXPECT_EQ(run_it("cat /dev/stdin", "the request").out, "the request");
}

TEST_P(RunnerContract, StderrIsPassedOnToTheLogAloneAndItsTailIsKept) {
  ::testing::internal::CaptureStderr();
  const auto result = run_it("head -c 10000 /dev/zero | tr '\\0' x >&2; echo END >&2");
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
  const std::string passed = told_.passed();
  EXPECT_EQ(passed.size(), 10004U);
  EXPECT_EQ(result.err_tail, passed.substr(passed.size() - 4096));
}

TEST_P(RunnerContract, FullPipesDoNotDeadlock) {
  const std::string input(3U << 20U, 'i');
  EXPECT_EQ(run_it("cat", input).out, input);
  const auto result = run_it(
      "head -c 1048576 /dev/zero | tr '\\0' o & head -c 1048576 /dev/zero | tr '\\0' e >&2; wait");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out, std::string(1U << 20U, 'o'));
  EXPECT_EQ(told_.passed(), std::string(1U << 20U, 'e'));
  EXPECT_EQ(result.err_tail, std::string(4096, 'e'));
}

TEST_P(RunnerContract, OutputIsCapped) {
  const auto result = run_it("head -c 34000000 /dev/zero");
  EXPECT_EQ(result.out.size(), kOutputLimit);
  EXPECT_EQ(result.exit_status, 0);
}

TEST_P(RunnerContract, ProgramThatDoesNotReadIsFine) {
  const std::string input(1U << 20U, 'i');
  const auto result = run_it("exec <&-; echo done", input);
  EXPECT_EQ(result.out, "done\n");
  EXPECT_EQ(result.exit_status, 0);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST_P(RunnerContract, SignalIsReported) {
  const auto result = run_it("kill -SEGV $$");
  EXPECT_EQ(result.signal, SIGSEGV);
  EXPECT_EQ(result.exit_status, -1);
  EXPECT_FALSE(result.timed_out);
}

TEST_P(RunnerContract, WholeGroupIsKilledAtTheDeadline) {
  const auto start = Clock::now();
  const auto result =
      run_it("trap '' TERM; sleep 100 & echo $$ $!; wait; sleep 100", {}, milliseconds(300));
  const auto took = Clock::now() - start;
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_GE(took, milliseconds(500));
  EXPECT_LT(took, milliseconds(3000));
  std::istringstream pids(result.out);
  pid_t leader = 0;
  pid_t grandchild = 0;
  pids >> leader >> grandchild;
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(is_gone(leader));
  EXPECT_TRUE(is_gone(grandchild));
}

TEST_P(RunnerContract, GrandchildIsKilledThoughTheProgramEndsAtSigterm) {
  const auto result =
      run_it("(trap '' TERM; sleep 100; sleep 100) & echo $!; trap 'exit 5' TERM; wait", {},
             milliseconds(300));
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_status, 5);
  EXPECT_TRUE(is_gone(std::stoi(result.out)));
}

TEST_P(RunnerContract, MayCleanUpAtTheDeadline) {
  constexpr milliseconds kTime{500};
  auto took = Clock::duration::max();
  // A busy machine may be slow, but not each time.
  for (int i = 0; i < 10 && took >= kTime + kTermGrace; ++i) {
    const auto start = Clock::now();
    const auto result =
        run_it("trap 'echo cleaned; exit 5' TERM; while :; do sleep 0.01; done", {}, kTime);
    took = Clock::now() - start;
    EXPECT_TRUE(result.timed_out);
    EXPECT_EQ(result.exit_status, 5);
    EXPECT_EQ(result.out, "cleaned\n");
  }
  EXPECT_LT(took, kTime + kTermGrace) << "a group that is gone is not waited for";
}

TEST_P(RunnerContract, PipesHeldByChildrenAreNotWaitedFor) {
  const auto start = Clock::now();
  const auto result = run_it("sleep 5 & echo early");
  EXPECT_EQ(result.out, "early\n");
  EXPECT_FALSE(result.timed_out);
  EXPECT_LT(Clock::now() - start, milliseconds(4000));
}

TEST_P(RunnerContract, BusyExecutableIsRetried) {
  const std::string program = folder_ / "program";
  ASSERT_TRUE(create_file(program, *read_file("/bin/true"), 0700));
  const int busy = ::open(program.c_str(), O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(failure_of(program, milliseconds(30)),
            "execute " + program + ": Text file busy (ETXTBSY)");
  std::thread closer([busy] {
    std::this_thread::sleep_for(milliseconds(100));
    ::close(busy);
  });
  EXPECT_EQ(runner_->run(program, {}, {}, soon(), {}, nullptr).exit_status, 0);
  closer.join();
}

TEST_P(RunnerContract, WhatCannotBeStartedIsAnError) {
  using ::testing::HasSubstr;
  EXPECT_EQ(failure_of("/nonexistent/x"),
            "execute /nonexistent/x: No such file or directory (ENOENT)");
  ASSERT_TRUE(create_file(folder_ / "plain", "text", 0600));
  EXPECT_THAT(failure_of(folder_ / "plain"), HasSubstr("EACCES"));
  ASSERT_TRUE(create_file(folder_ / "no-magic", "text", 0700));
  EXPECT_THAT(failure_of(folder_ / "no-magic"), HasSubstr("ENOEXEC"));
  EXPECT_THAT(failure_of("/bin/true", milliseconds(-1)), HasSubstr("no time is left"));
}

TEST_P(RunnerContract, ProgramHasAGroupAndPlainSignals) {
  const auto pipe_before = ::signal(SIGPIPE, SIG_IGN);
  const auto usr1_before = ::signal(SIGUSR1, SIG_IGN);
  sigset_t all;
  sigset_t mask_before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &mask_before);
  const auto result =
      run_it("grep -E 'Sig(Blk|Ign)' /proc/self/status; ps -o pgid= -p $$; echo $$");
  ::pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
  ::signal(SIGPIPE, pipe_before);
  ::signal(SIGUSR1, usr1_before);
  std::istringstream lines(result.out);
  std::string blocked;
  std::string ignored;
  std::string key;
  pid_t group = 0;
  pid_t pid = -1;
  lines >> key >> blocked >> key >> ignored >> group >> pid;
  EXPECT_EQ(std::stoull(blocked, nullptr, 16), 0U);
  EXPECT_EQ(std::stoull(ignored, nullptr, 16) & 0x7fffffffU, 0U) << "above are glibc's own";
  EXPECT_EQ(group, pid);
}

}  // namespace unicni::sys
