#include "runtime/reaper.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/socket_pair_for_test.h"

namespace unicni::runtime::reaper_test {
namespace {

constexpr int kPatience = 5000;  // ms

class ReaperTest : public SocketPairTest {
 protected:
  std::string received() {
    pollfd readable{far_.get(), POLLIN, 0};
    if (::poll(&readable, 1, kPatience) != 1) return "(nothing)";
    std::array<char, 64> text{};
    const auto size = ::recv(far_.get(), text.data(), text.size(), 0);
    return size <= 0 ? "(end)" : std::string(text.data(), static_cast<std::size_t>(size));
  }
  /// The next send(2) waits until drain().
  void fill() {
    while (::send(near_.get(), "x", 1, MSG_DONTWAIT) == 1) {
    }
  }
  void drain() {
    std::array<char, 64> text{};
    while (::recv(far_.get(), text.data(), text.size(), MSG_DONTWAIT) > 0) {
    }
  }
  static bool ends(sys::BackgroundSend& sending) {
    for (int i = 0; i < kPatience && !sending.has_ended(); ++i) ::usleep(1000);
    return sending.has_ended();
  }
};

TEST_F(ReaperTest, SendsThoughTheCallerClosesItsSocketAndForgetsTheSending) {
  Reaper reaper;
  EXPECT_NE(reaper.send(near_.get(), std::string_view("hello")), nullptr);
  near_.reset();
  EXPECT_EQ(received(), "hello");
  EXPECT_EQ(received(), "(end)") << "its own socket is closed after the sending";
}

TEST_F(ReaperTest, OneThatTheKernelKeepsWaitingDelaysNoOther) {
  fill();
  Reaper reaper;
  std::array<int, 2> ends_of_other{-1, -1};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_of_other.data()), 0);
  const sys::Fd other(ends_of_other[0]);
  const sys::Fd its_end(ends_of_other[1]);
  std::vector<std::unique_ptr<sys::BackgroundSend>> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(reaper.send(near_.get(), std::string_view("waits")));
    ASSERT_NE(waiting.back(), nullptr);
  }
  const auto free = reaper.send(other.get(), std::string_view("goes"));
  ASSERT_NE(free, nullptr);
  EXPECT_TRUE(ends(*free));
  for (const auto& each : waiting) EXPECT_FALSE(each->has_ended());
  drain();
  for (const auto& each : waiting) {
    each->end();
    EXPECT_TRUE(each->has_ended());
  }
}

TEST_F(ReaperTest, MoreThanItHasThreadsForIsRefusedAtOnce) {
  fill();
  Reaper reaper;
  std::size_t accepted = 0;
  while (accepted <= Reaper::kMostThreads &&
         reaper.send(near_.get(), std::string_view("waits")) != nullptr) {
    ++accepted;
  }
  EXPECT_EQ(accepted, Reaper::kMostThreads);
  drain();
}

TEST_F(ReaperTest, KeepsSocketsOpenForAWhileAndNoLongerThanItLives) {
  {
    Reaper reaper;
    const std::array<int, 1> kept{near_.get()};
    ASSERT_TRUE(reaper.keep_open(kept));
    const auto start = std::chrono::steady_clock::now();
    near_.reset();
    EXPECT_EQ(received(), "(end)");
    EXPECT_GE(std::chrono::steady_clock::now() - start,
              std::chrono::milliseconds(sys::kFreeingTime - 20));
  }
  SetUp();
  {
    Reaper reaper;
    const std::array<int, 1> kept{near_.get()};
    ASSERT_TRUE(reaper.keep_open(kept));
  }
  near_.reset();
  pollfd readable{far_.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&readable, 1, 0), 1);
}

TEST_F(ReaperTest, ItsThreadsAreInTheNamespaceOfItsMakerWhereverTheVerbIs) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root for network namespaces";
  fill();
  const auto namespaces = [] {
    std::set<std::string> found;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
      found.insert(std::filesystem::read_symlink(task.path() / "ns/net"));
    }
    return found;
  };
  Reaper reaper;
  std::thread([&] {
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    for (int i = 0; i < 4; ++i) {
      ASSERT_NE(reaper.send(near_.get(), std::string_view("waits")), nullptr);
    }
  }).join();
  for (int i = 0; i < kPatience && namespaces().size() > 1; ++i) ::usleep(1000);
  EXPECT_EQ(namespaces().size(), 1U);
  drain();
}

}  // namespace
}  // namespace unicni::runtime::reaper_test
