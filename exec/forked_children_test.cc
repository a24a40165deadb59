#include "forked_children.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>

#include "unicni/sys/fd.h"

namespace unicni::exec::forked_children_test {
namespace {

constexpr int kPatience = 5000;  // ms

struct Sockets {
  sys::Fd near;
  sys::Fd far;
  Sockets() {
    std::array<int, 2> ends{-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()), 0);
    near = sys::Fd(ends[0]);
    far = sys::Fd(ends[1]);
  }
  [[nodiscard]] std::string received() const {
    pollfd readable{far.get(), POLLIN, 0};
    if (::poll(&readable, 1, kPatience) != 1) return "(nothing)";
    std::array<char, 64> text{};
    const auto size = ::recv(far.get(), text.data(), text.size(), 0);
    return size < 0 ? "(error)" : std::string(text.data(), static_cast<std::size_t>(size));
  }
  /// Fills the way to `far`, so that the next send(2) waits.
  void fill() const {
    while (::send(near.get(), "x", 1, MSG_DONTWAIT) == 1) {
    }
  }
};

std::vector<pid_t> children() {
  std::ifstream file("/proc/thread-self/children");
  std::vector<pid_t> found;
  for (pid_t child = 0; file >> child;) found.push_back(child);
  return found;
}

/// Runs `work` where nobody but this process reaps the children of its children.
template <class Work>
void in_child(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(ForkedChildrenTest, SendsWhatItIsGivenAndHearsThatItEnded) {
  const Sockets sockets;
  ForkedChildren children;
  const auto sending = children.send(sockets.near.get(), std::string_view("hello"));
  ASSERT_NE(sending, nullptr);
  EXPECT_EQ(sockets.received(), "hello");
  for (int i = 0; i < kPatience && !sending->has_ended(); ++i) ::usleep(1000);
  EXPECT_TRUE(sending->has_ended());
  sending->end();
}

TEST(ForkedChildrenTest, AChildKeepsOnlyItsSocketAndNoFolder) {
  const Sockets sockets;
  sockets.fill();
  const sys::Fd other(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ForkedChildren made;
  const auto sending = made.send(sockets.near.get(), std::string_view("waits"));
  ASSERT_NE(sending, nullptr);
  const auto found = children();
  ASSERT_EQ(found.size(), 1U);
  const std::string folder = "/proc/" + std::to_string(found[0]);
  const auto wanted = std::to_string(sockets.near.get());
  const auto open = [&] {
    std::string names;
    for (const auto& each : std::filesystem::directory_iterator(folder + "/fd")) {
      names += each.path().filename().string() + ' ';
    }
    return names + std::filesystem::read_symlink(folder + "/cwd").string();
  };
  for (int i = 0; i < kPatience && open() != wanted + " /"; ++i) ::usleep(1000);
  EXPECT_EQ(open(), wanted + " /");
  EXPECT_GE(::fcntl(other.get(), F_GETFD), 0) << "here it stays";
  EXPECT_FALSE(sending->has_ended());
  sending->end();
  EXPECT_TRUE(children().empty());
}

TEST(ForkedChildrenTest, WhoeverEndedIsReapedByTheNext) {
  const Sockets sockets;
  ForkedChildren made;
  ASSERT_NE(made.send(sockets.near.get(), std::string_view("one")), nullptr);
  const auto first = children();
  ASSERT_EQ(first.size(), 1U);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(first[0]), &info, WEXITED | WNOWAIT), 0);
  const auto second = made.send(sockets.near.get(), std::string_view("two"));
  EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(first[0]), &info, WEXITED | WNOHANG), -1);
  second->end();
}

TEST(ForkedChildrenTest, WhereNobodyReapsOrphansSettlingWaitsAndNoSocketIsKept) {
  in_child([] {
    // The parent waits for nobody but its own child: see orphan.h.
    const Sockets sockets;
    ForkedChildren made;
    const std::array<int, 1> kept{sockets.near.get()};
    EXPECT_FALSE(made.keep_open(kept)) << "the caller's close waits";
    ASSERT_NE(made.send(sockets.near.get(), std::string_view("one")), nullptr);
    made.settle();
    EXPECT_TRUE(children().empty());
  });
}

}  // namespace
}  // namespace unicni::exec::forked_children_test
