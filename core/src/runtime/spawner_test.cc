#include "runtime/spawner.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <sstream>
#include <thread>
#include <vector>

#include "base/deadline_for_test.h"
#include "base/error_for_test.h"
#include "base/in_namespace_for_test.h"
#include "runtime/spawner_for_test.h"

namespace unicni::runtime::spawner_test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SpawnerTest : public SpawnerFixture {
 protected:
  sys::ProcessResult run_it(const std::string& body, std::string_view input = {},
                            std::chrono::milliseconds time = 20s) {
    return run(spawner_, body, input, time);
  }
  void TearDown() override { EXPECT_EQ(told_.lines(), "") << "nothing needed a fallback"; }

  Spawner spawner_{UNICNI_EXECUTABLE, &told_};
};

bool is_gone(pid_t pid) {
  for (int i = 0; i < 2000; ++i) {
    if (::kill(pid, 0) != 0) return true;
    const auto stat = sys::read_file("/proc/" + std::to_string(pid) + "/stat");
    // Ended is enough: init may be slow to take it.
    if (!stat || stat->find(") Z ") != std::string::npos) return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

TEST_F(SpawnerTest, GivesInputEnvironmentAndArgumentsAndTakesOutput) {
  const auto result = spawner_.run(script("echo \"$0|$1|$2|$#|$GREETING|$HOME\"; cat; exit 3"),
                                   {"GREETING=hello world", "PATH=/usr/bin:/bin"}, "the request",
                                   soon(), {"-w", ""}, &told_);
  EXPECT_EQ(result.out, (folder_ / "script") + "|-w||2|hello world|\nthe request");
  EXPECT_EQ(result.exit_status, 3);
  EXPECT_EQ(result.signal, 0);
  EXPECT_FALSE(result.timed_out);
}

TEST_F(SpawnerTest, RequestsOfAnySizePass) {
  const std::string large(100'000, 'v');  // one variable; execve(2) takes 128 KiB
  std::vector<std::string> env{"PATH=/usr/bin:/bin"};
  for (char name = 'A'; name <= 'J'; ++name) env.push_back(std::string(1, name) + "=" + large);
  const auto result = spawner_.run(script("echo ${#A} ${#J}"), env, {}, soon(), {}, &told_);
  EXPECT_EQ(result.out, "100000 100000\n");
}

TEST_F(SpawnerTest, FullPipesDoNotDeadlock) {
  const std::string input(3U << 20U, 'i');
  EXPECT_EQ(run_it("cat", input).out, input);
  const auto result = run_it(
      "head -c 1048576 /dev/zero | tr '\\0' o & head -c 1048576 /dev/zero | tr '\\0' e >&2; wait");
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(result.out, std::string(1U << 20U, 'o'));
  EXPECT_EQ(told_.passed(), std::string(1U << 20U, 'e'));
  EXPECT_EQ(result.err_tail, std::string(4096, 'e'));
}

TEST_F(SpawnerTest, OutputIsCapped) {
  const auto result = run_it("head -c 34000000 /dev/zero");
  EXPECT_EQ(result.out.size(), sys::kOutputLimit);
  EXPECT_EQ(result.exit_status, 0);
}

TEST_F(SpawnerTest, PluginThatDoesNotReadIsFine) {
  const std::string input(1U << 20U, 'i');
  const auto result = run_it("exec <&-; echo done", input);
  EXPECT_EQ(result.out, "done\n");
  EXPECT_EQ(result.exit_status, 0);
  sigset_t pending;
  sigpending(&pending);
  EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST_F(SpawnerTest, StandardInputCanBeOpenedByName) {
  EXPECT_EQ(run_it("cat /dev/stdin", "the request").out, "the request");
}

TEST_F(SpawnerTest, SignalIsReported) {
  const auto result = run_it("kill -SEGV $$");
  EXPECT_EQ(result.signal, SIGSEGV);
  EXPECT_EQ(result.exit_status, -1);
  EXPECT_FALSE(result.timed_out);
}

TEST_F(SpawnerTest, WholeGroupIsKilledAtTheDeadline) {
  const auto start = Clock::now();
  const auto result = run_it("trap '' TERM; sleep 100 & echo $$ $!; wait; sleep 100", {}, 300ms);
  const auto took = Clock::now() - start;
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGKILL);
  EXPECT_GE(took, 500ms);
  EXPECT_LT(took, 3s);
  std::istringstream pids(result.out);
  pid_t leader = 0;
  pid_t grandchild = 0;
  pids >> leader >> grandchild;
  ASSERT_GT(grandchild, 0);
  EXPECT_TRUE(is_gone(leader));
  EXPECT_TRUE(is_gone(grandchild));
}

TEST_F(SpawnerTest, GrandchildIsKilledThoughThePluginEndsAtSigterm) {
  const auto result =
      run_it("(trap '' TERM; sleep 100; sleep 100) & echo $!; trap 'exit 5' TERM; wait", {}, 300ms);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_status, 5);
  EXPECT_TRUE(is_gone(std::stoi(result.out)));
}

TEST_F(SpawnerTest, MayCleanUpAtTheDeadline) {
  const auto start = Clock::now();
  const auto result =
      run_it("trap 'echo cleaned; exit 5' TERM; while :; do sleep 0.01; done", {}, 500ms);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_status, 5);
  EXPECT_EQ(result.out, "cleaned\n");
  EXPECT_LT(Clock::now() - start, 690ms) << "a group that is gone is not waited for";
}

TEST_F(SpawnerTest, PipesHeldByChildrenAreNotWaitedFor) {
  const auto start = Clock::now();
  const auto result = run_it("sleep 5 & echo early");
  EXPECT_EQ(result.out, "early\n");
  EXPECT_FALSE(result.timed_out);
  EXPECT_LT(Clock::now() - start, 4s);
}

TEST_F(SpawnerTest, BusyExecutableIsRetried) {
  const std::string program = folder_ / "program";
  ASSERT_TRUE(sys::create_file(program, *sys::read_file("/bin/true"), 0700));
  const int busy = ::open(program.c_str(), O_WRONLY | O_CLOEXEC);
  EXPECT_EQ(
      error_of([&] { spawner_.run(program, {}, {}, Clock::now() + 30ms, {}, nullptr); }).msg(),
      "execute " + program + ": Text file busy (ETXTBSY)");
  std::thread closer([busy] {
    std::this_thread::sleep_for(100ms);
    ::close(busy);
  });
  EXPECT_EQ(spawner_.run(program, {}, {}, soon(), {}, nullptr).exit_status, 0);
  closer.join();
}

TEST_F(SpawnerTest, ExecutableThatStaysBusyIsAnErrorAfterFiveSeconds) {
  const std::string program = folder_ / "program";
  ASSERT_TRUE(sys::create_file(program, *sys::read_file("/bin/true"), 0700));
  const sys::Fd busy(::open(program.c_str(), O_WRONLY | O_CLOEXEC));
  const auto start = Clock::now();
  EXPECT_THAT(error_of([&] { spawner_.run(program, {}, {}, soon(), {}, nullptr); }).msg(),
              HasSubstr("ETXTBSY"));
  EXPECT_GE(Clock::now() - start, 4900ms);
  EXPECT_LT(Clock::now() - start, 8s);
}

TEST_F(SpawnerTest, WhatCannotBeStartedIsAnError) {
  const auto error = [&](const std::string& program, std::chrono::seconds time = 5s) {
    return error_of([&] { spawner_.run(program, {}, {}, Clock::now() + time, {}, nullptr); }).msg();
  };
  EXPECT_EQ(error("/nonexistent/x"), "execute /nonexistent/x: No such file or directory (ENOENT)");
  ASSERT_TRUE(sys::create_file(folder_ / "plain", "text", 0600));
  EXPECT_THAT(error(folder_ / "plain"), HasSubstr("EACCES"));
  ASSERT_TRUE(sys::create_file(folder_ / "no-magic", "text", 0700));
  EXPECT_THAT(error(folder_ / "no-magic"), HasSubstr("ENOEXEC"));
  EXPECT_THAT(error("/bin/true", -1s), HasSubstr("no time is left"));
}

TEST_F(SpawnerTest, PluginHasASessionPlainSignalsAndNoForeignDescriptors) {
  const sys::Fd leaky(::open("/dev/null", O_RDONLY));  // NOLINT(android-cloexec-open): as some do
  const auto pipe_before = ::signal(SIGPIPE, SIG_IGN);
  const auto usr1_before = ::signal(SIGUSR1, SIG_IGN);
  sigset_t all;
  sigset_t mask_before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &mask_before);
  const auto result = run_it(
      "ls /proc/self/fd | wc -l; grep -E 'Sig(Blk|Ign)' /proc/self/status; ps -o sid= -p $$; "
      "echo $$");
  ::pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
  ::signal(SIGPIPE, pipe_before);
  ::signal(SIGUSR1, usr1_before);
  std::istringstream lines(result.out);
  int descriptors = 0;
  std::string blocked;
  std::string ignored;
  std::string key;
  pid_t session = 0;
  pid_t pid = -1;
  lines >> descriptors >> key >> blocked >> key >> ignored >> session >> pid;
  EXPECT_EQ(descriptors, 4) << "stdin, stdout, stderr and ls's own";
  EXPECT_EQ(std::stoull(blocked, nullptr, 16), 0U);
  EXPECT_EQ(std::stoull(ignored, nullptr, 16), 0U);
  EXPECT_EQ(session, pid);
}

TEST_F(SpawnerTest, PluginsRunWhereTheSpawnerWasMadeWhereverTheVerbIs) {
  const auto here = std::filesystem::read_symlink("/proc/thread-self/ns/net").string();
  in_namespace(CLONE_NEWNET, [&] {
    ASSERT_NE(std::filesystem::read_symlink("/proc/thread-self/ns/net").string(), here);
    EXPECT_EQ(run_it("readlink /proc/self/ns/net").out, here + "\n");
  });
}

TEST_F(SpawnerTest, KilledSpawnerIsSaidByTheRunUnderItAndTheNextHasAnother) {
  EXPECT_EQ(run_it("echo first").out, "first\n");
  const pid_t spawner = spawner_.pid();
  std::thread killer([&] {
    for (int i = 0; i < 5000 && !std::filesystem::exists(folder_ / "started"); ++i) {
      std::this_thread::sleep_for(1ms);
    }
    ::kill(spawner, SIGKILL);
  });
  const std::string started = folder_ / "started";
  const auto start = Clock::now();
  const Error error = error_of([&] {
    // In a file of its own: the next script must not be written over one that runs.
    spawner_.run(script("echo $$ > " + started + ".tmp; mv " + started + ".tmp " + started +
                            "; exec sleep 100",
                        "hangs"),
                 {"PATH=/usr/bin:/bin"}, {}, soon(), {}, nullptr);
  });
  killer.join();
  EXPECT_LT(Clock::now() - start, 10s);
  EXPECT_EQ(error.msg(), (folder_ / "hangs") + " did not run to its end: the spawner, process " +
                             std::to_string(spawner) + ", was killed under it");
  EXPECT_TRUE(is_gone(std::stoi(*sys::read_file(started)))) << "its plugin ended with it";
  EXPECT_EQ(run_it("echo second").out, "second\n");
  EXPECT_NE(spawner_.pid(), spawner);
}

TEST_F(SpawnerTest, SpawnerKilledBetweenRunsIsNotNoticed) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(run_it("echo run").out, "run\n");
    ::kill(spawner_.pid(), SIGKILL);
    if (i % 2 == 0) {
      EXPECT_TRUE(is_gone(spawner_.pid()));
    }
  }
}

TEST_F(SpawnerTest, StoppedSpawnerIsGivenUpAfterTheDeadline) {
  EXPECT_EQ(run_it("echo first").out, "first\n");
  ::kill(spawner_.pid(), SIGSTOP);
  const auto start = Clock::now();
  EXPECT_THAT(error_of([&] { run_it("echo never", {}, 100ms); }).msg(),
              HasSubstr("does not answer"));
  EXPECT_LT(Clock::now() - start, 4s);
  EXPECT_EQ(run_it("echo second").out, "second\n");
}

TEST_F(SpawnerTest, StaysWhenTheServiceIsToldToEnd) {
  EXPECT_EQ(run_it("echo first").out, "first\n");
  const pid_t pid = spawner_.pid();
  ::kill(pid, SIGTERM);
  ::kill(pid, SIGHUP);
  EXPECT_EQ(run_it("echo second").out, "second\n");
  EXPECT_EQ(spawner_.pid(), pid);
}

TEST_F(SpawnerTest, UpgradeUnderTheProgramChangesNothing) {
  const std::string copy = folder_ / "unicni";
  std::filesystem::copy_file(UNICNI_EXECUTABLE, copy);
  Spawner spawner(copy, &told_);
  std::filesystem::remove(copy);
  ASSERT_TRUE(sys::create_file(copy, "another one", 0700));
  EXPECT_EQ(run(spawner, "echo ran").out, "ran\n");
  EXPECT_GT(spawner.pid(), 0);
}

TEST_F(SpawnerTest, SixteenThreadsAtOnceEachGetTheirOwn) {
  const std::string program = script("cat; echo \"$1\" >&2; exit $1");
  std::vector<std::thread> threads;
  for (int i = 0; i < 16; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 10; ++round) {
        Told told;
        const std::string text = std::to_string(i) + "/" + std::to_string(round);
        const auto result =
            spawner_.run(program, {"PATH=/usr/bin:/bin"}, text, soon(), {std::to_string(i)}, &told);
        EXPECT_EQ(result.out, text);
        EXPECT_EQ(result.exit_status, i);
        EXPECT_EQ(told.passed(), std::to_string(i) + "\n");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace unicni::runtime::spawner_test
