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
#include "base/runner_contract_for_test.h"

namespace unicni::runtime::spawner_test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using sys::is_gone;
using sys::RunnerContract;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SpawnerTest : public sys::ScriptTest {
 protected:
  sys::ProcessResult run_it(const std::string& body, std::string_view input = {},
                            std::chrono::milliseconds time = 20s) {
    return run(spawner_, body, input, time);
  }
  void TearDown() override { EXPECT_EQ(told_.lines(), "") << "nothing needed a fallback"; }

  Spawner spawner_{UNICNI_EXECUTABLE, &told_};
};

INSTANTIATE_TEST_SUITE_P(Spawner, RunnerContract,
                         ::testing::Values(sys::RunnerMaker{[](LogSink* log) {
                           return std::unique_ptr<sys::ProgramRunner>(
                               std::make_unique<Spawner>(UNICNI_EXECUTABLE, log));
                         }}));

TEST_F(SpawnerTest, RequestsOfAnySizePass) {
  const std::string large(100'000, 'v');  // one variable; execve(2) takes 128 KiB
  std::vector<std::string> env{"PATH=/usr/bin:/bin"};
  for (char name = 'A'; name <= 'J'; ++name) env.push_back(std::string(1, name) + "=" + large);
  const auto result = spawner_.run(script("echo ${#A} ${#J}"), env, {}, soon(), {}, &told_);
  EXPECT_EQ(result.out, "100000 100000\n");
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

TEST_F(SpawnerTest, PluginHasASessionAndNoForeignDescriptors) {
  const sys::Fd leaky(::open("/dev/null", O_RDONLY));  // NOLINT(android-cloexec-open): as some do
  std::istringstream lines(run_it("ls /proc/self/fd | wc -l; ps -o sid= -p $$; echo $$").out);
  int descriptors = 0;
  pid_t session = 0;
  pid_t pid = -1;
  lines >> descriptors >> session >> pid;
  EXPECT_EQ(descriptors, 4) << "stdin, stdout, stderr and ls's own";
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

TEST_F(SpawnerTest, StartedProgramWaitsForItsInput) {
  const std::string mark = folder_ / "mark";
  const auto started = spawner_.start(script("echo > " + mark + "; cat; echo err >&2; exit 3"),
                                      {"PATH=/usr/bin:/bin"}, soon());
  ASSERT_TRUE(started);
  for (int i = 0; i < 5000 && !std::filesystem::exists(mark); ++i) std::this_thread::sleep_for(1ms);
  ASSERT_TRUE(std::filesystem::exists(mark)) << "it runs before anybody asks for its end";
  const std::string input(1U << 20U, 'i');
  const auto result = started->finish(input, &told_);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->out, input);
  EXPECT_EQ(result->exit_status, 3);
  EXPECT_EQ(told_.passed(), "err\n");
}

TEST_F(SpawnerTest, StartedProgramThatNobodyNeedsIsKilled) {
  const std::string pid = folder_ / "pid";
  auto started = spawner_.start(
      script("echo $$ > " + pid + ".tmp; mv " + pid + ".tmp " + pid + "; cat; echo > " + pid + "2"),
      {"PATH=/usr/bin:/bin"}, soon());
  ASSERT_TRUE(started);
  for (int i = 0; i < 5000 && !std::filesystem::exists(pid); ++i) std::this_thread::sleep_for(1ms);
  started.reset();
  EXPECT_TRUE(is_gone(std::stoi(*sys::read_file(pid))));
  EXPECT_FALSE(std::filesystem::exists(pid + "2")) << "it saw no end of its input";
}

TEST_F(SpawnerTest, StartedProgramThatCannotBeExecutedHasNoResult) {
  const auto started = spawner_.start("/nonexistent/x", {}, soon());
  ASSERT_TRUE(started);
  EXPECT_FALSE(started->finish("input", nullptr));
  EXPECT_FALSE(spawner_.start("/bin/true", {}, Clock::now() - 1s)) << "no time is left";
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
