#include "runtime/verb_threads.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/in_namespace_for_test.h"

namespace unicni::runtime::verb_threads_test {
namespace {

std::string netns_here() { return std::filesystem::read_symlink("/proc/thread-self/ns/net"); }

TEST(VerbThreadsTest, EachVerbHasAThreadOfItsOwn) {
  const VerbThreads threads;
  std::thread::id first;
  pid_t tid = 0;
  threads.run([&] {
    first = std::this_thread::get_id();
    tid = ::gettid();
  });
  EXPECT_NE(first, std::this_thread::get_id());
  EXPECT_FALSE(std::filesystem::exists("/proc/self/task/" + std::to_string(tid)));
}

TEST(VerbThreadsTest, AThreadThatLeavesItsNamespaceTakesNobodyAlong) {
  const VerbThreads threads;
  const std::string home = netns_here();
  threads.run([] { ASSERT_EQ(::unshare(CLONE_NEWNET), 0); });
  threads.run([&] { EXPECT_EQ(netns_here(), home); });
  EXPECT_EQ(netns_here(), home);
}

TEST(VerbThreadsTest, VerbsBeginWhereTheRuntimeWasMade) {
  const VerbThreads threads;
  const std::string home = netns_here();
  in_namespace(CLONE_NEWNET, [&] {
    EXPECT_NE(netns_here(), home);
    threads.run([&] { EXPECT_EQ(netns_here(), home); });
  });
}

TEST(VerbThreadsTest, UmaskAndFolderAreTheVerbsOwn) {
  const VerbThreads threads;
  const mode_t before = ::umask(022);
  const auto folder = std::filesystem::current_path();
  threads.run([] {
    ::umask(0777);
    ASSERT_EQ(::chdir("/proc"), 0);
  });
  EXPECT_EQ(::umask(before), 022U);
  EXPECT_EQ(std::filesystem::current_path(), folder);
}

TEST(VerbThreadsTest, SignalsAreForOthers) {
  const VerbThreads threads;
  threads.run([] {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    EXPECT_EQ(sigismember(&blocked, SIGTERM), 1);
  });
}

TEST(VerbThreadsTest, WhatWorkThrowsReachesTheCaller) {
  const VerbThreads threads;
  EXPECT_THROW(threads.run([] { throw std::out_of_range("x"); }), std::out_of_range);
}

TEST(VerbThreadsTest, TheEndWaitsForWhatIsAtWork) {
  std::optional<VerbThreads> threads(std::in_place);
  std::promise<void> begun;
  std::atomic<bool> destroying = false;
  bool done = false;
  std::thread caller([&] {
    threads->run([&] {
      begun.set_value();
      while (!destroying) std::this_thread::yield();
      std::this_thread::sleep_for(std::chrono::milliseconds(50));  // it has to wait this long
      done = true;
    });
  });
  begun.get_future().wait();
  destroying = true;
  threads.reset();
  EXPECT_TRUE(done);
  caller.join();
}

TEST(VerbThreadsTest, ManyAtOnce) {
  const VerbThreads threads;
  std::vector<std::thread> callers;
  std::atomic<int> done = 0;
  for (int i = 0; i < 16; ++i) {
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round) threads.run([&] { ++done; });
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(done, 800);
}

}  // namespace
}  // namespace unicni::runtime::verb_threads_test
