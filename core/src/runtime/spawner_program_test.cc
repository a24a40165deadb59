// Programs of all habits around a spawner.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <optional>
#include <sstream>
#include <thread>

#include "base/deadline_for_test.h"
#include "base/error_for_test.h"
#include "base/script_for_test.h"
#include "runtime/spawner.h"

namespace unicni::runtime::spawner_program_test {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using ::testing::HasSubstr;

class SpawnerProgramTest : public sys::ScriptTest {
 protected:
  /// `work` in a copy of this process, whose habits end with it; its exit status. 1: it threw.
  template <class Work>
  static int in_copy(const Work& work) {
    const pid_t copy = ::fork();
    if (copy == 0) {
      int status = 1;
      try {
        status = work();
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
      }
      ::_exit(status);
    }
    int status = -1;
    ::waitpid(copy, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
  }
  static int exit_with_7(Spawner& spawner) {
    return spawner.run("/bin/sh", {}, {}, soon(), {"-c", "exit 7"}, nullptr).exit_status;
  }
  static bool has_child() { return ::waitpid(-1, nullptr, WNOHANG | __WALL) == 0; }
  static std::size_t descriptors() {
    const std::filesystem::directory_iterator all("/proc/thread-self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }
  static bool ends(const sys::Fd& pidfd) {
    pollfd ended{pidfd.get(), POLLIN, 0};
    return ::poll(&ended, 1, 5000) == 1;
  }
  static pid_t pausing_copy() {
    const pid_t copy = ::fork();
    if (copy == 0) {
      ::pause();
      ::_exit(0);
    }
    return copy;
  }
  static void end_copy(pid_t copy) {
    ::kill(copy, SIGKILL);
    ::waitpid(copy, nullptr, 0);
  }
  static sys::Fd pidfd_of(pid_t pid) {
    return sys::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  }
};

TEST_F(SpawnerProgramTest, MayIgnoreTheEndOfItsChildren) {
  EXPECT_EQ(in_copy([] {
              ::signal(SIGCHLD, SIG_IGN);
              Spawner spawner(UNICNI_EXECUTABLE, nullptr);
              return exit_with_7(spawner);
            }),
            7);
}

TEST_F(SpawnerProgramTest, MayWaitForAnyChildAllTheTime) {
  std::atomic<bool> stops = false;
  std::atomic<int> taken = 0;
  std::thread waiter([&] {
    while (!stops) {
      if (::waitpid(-1, nullptr, 0) > 0) ++taken;
    }
  });
  for (int i = 0; i < 20; ++i) {
    Spawner spawner(UNICNI_EXECUTABLE, nullptr);
    EXPECT_EQ(exit_with_7(spawner), 7);
  }
  stops = true;
  waiter.join();
  EXPECT_EQ(taken, 0);
}

TEST_F(SpawnerProgramTest, HearsNoSigchldAndHasNoChild) {
  static std::atomic<int> heard = 0;
  heard = 0;
  const auto before = ::signal(SIGCHLD, [](int) { ++heard; });
  {
    Spawner spawner(UNICNI_EXECUTABLE, nullptr);
    EXPECT_EQ(exit_with_7(spawner), 7);
    EXPECT_FALSE(has_child());
  }
  EXPECT_FALSE(has_child());
  ::signal(SIGCHLD, before);
  EXPECT_EQ(heard, 0);
}

TEST_F(SpawnerProgramTest, MayHaveEndedItsMainThread) {
  EXPECT_EQ(in_copy([]() -> int {
              std::thread([] {
                try {
                  Spawner spawner(UNICNI_EXECUTABLE, nullptr);
                  std::this_thread::sleep_for(50ms);
                  ::_exit(exit_with_7(spawner));
                } catch (const std::exception& error) {
                  std::fprintf(stderr, "%s\n", error.what());
                  ::_exit(1);
                }
              }).detach();
              // What pthread_exit(3) ends with, which unwinds before.
              ::syscall(SYS_exit, 0);
              return 1;
            }),
            7);
}

TEST_F(SpawnerProgramTest, MayInheritOrphansAndIsLeftNone) {
  EXPECT_EQ(in_copy([] {
              ::prctl(PR_SET_CHILD_SUBREAPER, 1);
              int status = 0;
              {
                Spawner spawner(UNICNI_EXECUTABLE, nullptr);
                status = exit_with_7(spawner);
              }
              return ::waitpid(-1, nullptr, WNOHANG | __WALL) < 0 && errno == ECHILD ? status : 1;
            }),
            7);
}

TEST_F(SpawnerProgramTest, MayHaveItsStandardDescriptorsClosed) {
  EXPECT_EQ(in_copy([] {
              for (int fd = 0; fd < 10; ++fd) ::close(fd);
              Spawner spawner(UNICNI_EXECUTABLE, nullptr);
              const auto result = spawner.run("/bin/cat", {}, "text", soon(), {}, nullptr);
              return result.out == "text" ? exit_with_7(spawner) : 1;
            }),
            7);
}

TEST_F(SpawnerProgramTest, SpawnerIsGoneWithItsOwner) {
  sys::Fd pidfd;
  {
    Spawner spawner(UNICNI_EXECUTABLE, nullptr);
    EXPECT_EQ(exit_with_7(spawner), 7);
    pidfd = pidfd_of(spawner.pid());
    ASSERT_TRUE(pidfd);
  }
  pollfd ended{pidfd.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&ended, 1, 0), 1) << "it was waited for";
}

TEST_F(SpawnerProgramTest, SpawnerIsGoneThoughACopyOfTheProgramHasItsSocket) {
  sys::Fd pidfd;
  pid_t copy = -1;
  {
    Spawner spawner(UNICNI_EXECUTABLE, nullptr);
    EXPECT_EQ(exit_with_7(spawner), 7);
    pidfd = pidfd_of(spawner.pid());
    copy = pausing_copy();
    EXPECT_EQ(exit_with_7(spawner), 7);
  }
  EXPECT_TRUE(ends(pidfd));
  end_copy(copy);
}

TEST_F(SpawnerProgramTest, KilledSpawnerIsNoticedThoughACopyOfTheProgramHasItsSockets) {
  Spawner spawner(UNICNI_EXECUTABLE, nullptr);
  const std::string started = folder_ / "started";
  pid_t copy = -1;
  std::thread killer([&] {
    for (int i = 0; i < 5000 && !std::filesystem::exists(started); ++i) {
      std::this_thread::sleep_for(1ms);
    }
    copy = pausing_copy();
    ::kill(spawner.pid(), SIGKILL);
  });
  const auto start = Clock::now();
  EXPECT_THAT(
      error_of([&] { run(spawner, "touch " + started + "; exec sleep 100", {}, 20s); }).msg(),
      HasSubstr("was killed under it"));
  EXPECT_LT(Clock::now() - start, 15s);
  killer.join();
  end_copy(copy);
}

TEST_F(SpawnerProgramTest, ACopyOfTheProgramThatEndsLeavesTheSpawner) {
  std::optional<Spawner> spawner(std::in_place, UNICNI_EXECUTABLE, nullptr);
  EXPECT_EQ(exit_with_7(*spawner), 7);
  const pid_t pid = spawner->pid();
  EXPECT_EQ(in_copy([&] {
              spawner.reset();
              return 7;
            }),
            7);
  EXPECT_EQ(exit_with_7(*spawner), 7);
  EXPECT_EQ(spawner->pid(), pid);
}

TEST_F(SpawnerProgramTest, SpawnerEndsItsPluginsAndItselfWhenTheProgramDies) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that what the copy leaves is seen here
  const std::string started = folder_ / "started";
  // With a child in a group of its own, as our executable runs foreign members.
  const std::string program =
      script("set -m; sleep 100 & set +m; echo $$ $! > " + started + ".tmp; mv " + started +
             ".tmp " + started + "; exec sleep 100");
  const pid_t copy = ::fork();
  if (copy == 0) {
    Spawner spawner(UNICNI_EXECUTABLE, nullptr);
    spawner.run(program, {"PATH=/usr/bin:/bin"}, {}, Clock::now() + 1h, {}, nullptr);
    ::_exit(0);
  }
  for (int i = 0; i < 5000 && !std::filesystem::exists(started); ++i) {
    std::this_thread::sleep_for(1ms);
  }
  std::istringstream pids(*sys::read_file(started));
  pid_t plugin_pid = -1;
  pid_t child_pid = -1;
  pids >> plugin_pid >> child_pid;
  const sys::Fd plugin = pidfd_of(plugin_pid);
  const sys::Fd child = pidfd_of(child_pid);
  ASSERT_TRUE(plugin);
  ASSERT_TRUE(child);
  ::kill(copy, SIGKILL);
  ::waitpid(copy, nullptr, 0);
  EXPECT_TRUE(ends(plugin));
  EXPECT_TRUE(ends(child));
  // What was left by the copy, its spawner and the plugin is ours by now.
  while (::waitpid(-1, nullptr, __WALL) > 0) {
  }
  EXPECT_EQ(errno, ECHILD);
  ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

TEST_F(SpawnerProgramTest, DescriptorsStayAsTheyWereAfterAThousandRuns) {
  const std::size_t at_first = descriptors();
  {
    Spawner spawner(UNICNI_EXECUTABLE, nullptr);
    const auto run = [&](int times) {
      for (int i = 0; i < times; ++i) {
        EXPECT_EQ(spawner.run("/bin/true", {}, "in", soon(), {}, nullptr).exit_status, 0);
      }
    };
    const auto spawners = [&] {
      const std::filesystem::directory_iterator all("/proc/" + std::to_string(spawner.pid()) +
                                                    "/fd");
      return static_cast<std::size_t>(std::distance(begin(all), end(all)));
    };
    run(1);
    const std::size_t before = descriptors();
    const std::size_t spawners_before = spawners();
    run(1000);
    EXPECT_EQ(descriptors(), before);
    EXPECT_LE(spawners(), spawners_before + 1) << "the last channel may be about to close";
  }
  EXPECT_EQ(descriptors(), at_first);
}

TEST_F(SpawnerProgramTest, WithoutTheExecutablePluginsAreRunDirectlyAndThatIsSaidOnce) {
  Spawner spawner("/nonexistent/unicni", &told_);
  EXPECT_EQ(exit_with_7(spawner), 7);
  EXPECT_EQ(exit_with_7(spawner), 7);
  EXPECT_EQ(spawner.pid(), -1);
  EXPECT_THAT(told_.lines(), HasSubstr("open /nonexistent/unicni: No such file or directory"));
  const std::string lines = told_.lines();
  EXPECT_EQ(std::ranges::count(lines, '\n'), 1);
}

TEST_F(SpawnerProgramTest, AnExecutableThatIsNoSpawnerIsNotUsed) {
  Spawner spawner("/bin/true", &told_);
  EXPECT_EQ(exit_with_7(spawner), 7);
  EXPECT_THAT(told_.lines(), HasSubstr("it ended instead of being the spawner"));
  EXPECT_FALSE(has_child());
}

TEST_F(SpawnerProgramTest, AnExecutableThatIsNoSpawnerIsNotHeard) {
  const std::string heard = folder_ / "heard";
  EXPECT_EQ(in_copy([&] {
              const int file = ::open(heard.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
              for (const int fd : {STDOUT_FILENO, STDERR_FILENO}) ::dup2(file, fd);
              Spawner spawner("/bin/ls", &told_);
              return exit_with_7(spawner);
            }),
            7);
  EXPECT_EQ(sys::read_file(heard), "");
}

TEST_F(SpawnerProgramTest, TheExecutableIsNoSpawnerForPeople) {
  const auto result = sys::run_process(UNICNI_EXECUTABLE, {}, {}, soon(), {"--spawner"}, &told_);
  EXPECT_EQ(result.exit_status, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_EQ(result.err_tail,
            "unicni: --spawner is for programs that use libunicni, which start it with a socket\n");
}

/// The best of `times`: what else the machine does is in the others.
template <class Work>
Clock::duration best_of(int times, const Work& work) {
  auto best = Clock::duration::max();
  for (int i = 0; i < times; ++i) {
    const auto start = Clock::now();
    work();
    best = std::min(best, Clock::now() - start);
  }
  return best;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// A sanitizer's own start takes longer than the copy.
TEST_F(SpawnerProgramTest, MemoryOfTheProgramIsNotCopied) {
  constexpr std::size_t kMuch = 1UL << 30U;  // 2 MiB of page tables
  void* const memory = ::mmap(nullptr, kMuch, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  ASSERT_NE(memory, MAP_FAILED);
  ::madvise(memory, kMuch, MADV_NOHUGEPAGE);
  for (std::size_t at = 0; at < kMuch; at += 4096) static_cast<char*>(memory)[at] = 1;
  const auto copying = best_of(3, [] { EXPECT_EQ(in_copy([] { return 7; }), 7); });
  const auto running = best_of(15, [] {
    Spawner spawner(UNICNI_EXECUTABLE, nullptr);
    EXPECT_EQ(exit_with_7(spawner), 7);
  });
  ::munmap(memory, kMuch);
  EXPECT_LT(running, copying / 2) << "by fork(2) it would be longer than a fork(2)";
}
#endif

}  // namespace
}  // namespace unicni::runtime::spawner_program_test
