#include "runtime/verb_locks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/deadline_for_test.h"
#include "base/temp_folder_for_test.h"
#include "unicni/error.h"
#include "unicni/sys/file.h"

namespace unicni::runtime::verb_locks_test {
namespace {

using std::chrono::milliseconds;
using sys::LockMode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Deadline shortly() { return std::chrono::steady_clock::now() + milliseconds(100); }

class VerbLocksTest : public ::testing::Test {
 protected:
  TempFolder folder_;
  VerbLocks locks_{folder_.path() + "/locks"};
};

TEST_F(VerbLocksTest, OneVerbForAContainerAndTheHolderIsNamed) {
  const auto held = locks_.container("c1", "ADD of a/c1/eth0", soon());
  try {
    const auto second = locks_.container("c1", "DEL of b/c1/eth1", shortly());
    ADD_FAILURE() << "two at once";
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::try_again));
    EXPECT_THAT(error.msg(), HasSubstr("DEL of b/c1/eth1"));
    EXPECT_THAT(error.details(), HasSubstr("ADD of a/c1/eth0"));
  }
  EXPECT_NO_THROW((void)locks_.container("c2", "ADD of a/c2/eth0", shortly()));
}

TEST_F(VerbLocksTest, WhoWaitsGetsItWhenItIsFree) {
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const auto held = locks_.container("c1", "ADD", soon());
        const int now = ++inside;
        if (now > most) most = now;
        --inside;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

TEST_F(VerbLocksTest, AFileGoesWithItsLastLock) {
  {
    const auto first = locks_.network("net", LockMode::shared, "ADD", soon());
    { const auto second = locks_.network("net", LockMode::shared, "DEL", soon()); }
    EXPECT_TRUE(std::filesystem::exists(folder_ / "locks/network:net"));
    const auto held = locks_.container("c1", "ADD", soon());
    EXPECT_TRUE(std::filesystem::exists(folder_ / "locks/container:c1"));
  }
  EXPECT_THAT(sys::list_folder(folder_ / "locks"), IsEmpty());
}

TEST_F(VerbLocksTest, WithoutAFileThreadsStillWaitForEachOther) {
  std::ofstream(folder_ / "locks") << "no folder";
  const auto held = locks_.container("c1", "ADD", soon());
  ASSERT_TRUE(held.problem());
  EXPECT_THAT(held.problem()->msg(), HasSubstr(folder_ / "locks"));
  EXPECT_THROW((void)locks_.container("c1", "DEL", shortly()), Error);
}

TEST_F(VerbLocksTest, NamesOfAnyLengthHaveAFile) {
  EXPECT_NO_THROW((void)locks_.container(std::string(300, 'x'), "ADD", soon()));
}

TEST_F(VerbLocksTest, VerbsShareANetworkAndGcHasItAlone) {
  const auto add = locks_.network("net", LockMode::shared, "ADD", soon());
  EXPECT_NO_THROW((void)locks_.network("net", LockMode::shared, "DEL", shortly()));
  EXPECT_THROW((void)locks_.network("net", LockMode::exclusive, "GC", shortly()), Error);
  EXPECT_NO_THROW((void)locks_.network("other", LockMode::exclusive, "GC", shortly()));
}

TEST_F(VerbLocksTest, AWaitingGcIsNotPassedByLaterVerbs) {
  std::atomic<bool> collected = false;
  std::optional<std::thread> gc;
  {
    const auto add = locks_.network("net", LockMode::shared, "ADD", soon());
    gc.emplace([&] {
      const auto held = locks_.network("net", LockMode::exclusive, "GC", soon());
      collected = true;
    });
    // Until it waits, others are let in; afterwards none is.
    for (bool passed = true; passed;) {
      try {
        const auto later = locks_.network("net", LockMode::shared, "ADD", shortly());
      } catch (const Error&) {
        passed = false;
      }
    }
    EXPECT_FALSE(collected);
  }
  gc->join();
  EXPECT_TRUE(collected);
}

/// Whoever comes back at once doesn't pass those who wait.
TEST_F(VerbLocksTest, NobodyStarvesBesideAnEagerOne) {
  std::atomic<bool> ends = false;
  std::vector<std::thread> eager;
  for (int i = 0; i < 3; ++i) {
    eager.emplace_back([&] {
      while (!ends) {
        const auto held = locks_.network("net", LockMode::shared, "ADD", soon());
        std::this_thread::sleep_for(milliseconds(1));
      }
    });
  }
  std::thread gc([&] {
    while (!ends) {
      const auto held = locks_.network("net", LockMode::exclusive, "GC", soon());
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  for (int i = 0; i < 50; ++i) {
    EXPECT_NO_THROW((void)locks_.network("net", LockMode::exclusive, "GC", soon()));
    EXPECT_NO_THROW((void)locks_.network("net", LockMode::shared, "DEL", soon()));
  }
  ends = true;
  gc.join();
  for (auto& thread : eager) thread.join();
}

/// As many turns for each, whoever is quick.
TEST_F(VerbLocksTest, TurnsAreTakenInTheOrderOfArrival) {
  std::vector<int> order;
  std::vector<std::thread> threads;
  {
    const auto first = locks_.container("c1", "ADD", soon());
    for (int i = 0; i < 5; ++i) {
      threads.emplace_back([&, i] {
        const auto held = locks_.container("c1", "DEL", soon());
        order.push_back(i);
      });
      std::this_thread::sleep_for(milliseconds(20));
    }
  }
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(order, ::testing::ElementsAre(0, 1, 2, 3, 4));
}

TEST_F(VerbLocksTest, AnotherProcessWaitsToo) {
  const auto held = locks_.container("c1", "ADD of a/c1/eth0", soon());
  const pid_t child = ::fork();
  if (child == 0) {
    VerbLocks others(folder_.path() + "/locks");
    try {
      const auto second = others.container("c1", "DEL", shortly());
    } catch (const Error& error) {
      ::_exit(error.is(Code::try_again) &&
                      error.msg().find(std::to_string(::getppid())) != std::string::npos
                  ? 0
                  : 2);
    }
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "1: it got the lock, 2: the error doesn't name us";
}

}  // namespace
}  // namespace unicni::runtime::verb_locks_test
