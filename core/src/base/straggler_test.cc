#include "base/straggler.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include "unicni/sys/fd.h"

namespace unicni::sys::straggler_test {
namespace {

constexpr int kPatience = 5000;  // ms

bool wait_for(int fd) {
  pollfd readable{fd, POLLIN, 0};
  return ::poll(&readable, 1, kPatience) == 1;
}

TEST(StragglerTest, KeepsOnlyWhatItIsGiven) {
  const Fd answer(::eventfd(0, EFD_CLOEXEC));
  const Fd other(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const std::array<int, 1> kept{answer.get()};
  const int closed = other.get();
  const pid_t child = fork_straggler(kept);
  if (child == 0) {
    int open = 0;
    for (const int fd : {0, 1, 2, closed}) open += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    const std::uint64_t report = 1 + static_cast<std::uint64_t>(open);
    [[maybe_unused]] const auto written = ::write(answer.get(), &report, sizeof report);
    ::_exit(0);
  }
  ASSERT_GT(child, 0);
  ASSERT_TRUE(wait_for(answer.get()));
  std::uint64_t report = 0;
  ASSERT_EQ(::read(answer.get(), &report, sizeof report), ssize_t{sizeof report});
  EXPECT_EQ(report, 1U) << report - 1 << " of the others are open";
  EXPECT_GE(::fcntl(closed, F_GETFD), 0) << "here it stays";
  end_straggler(child);
}

TEST(StragglerTest, EndsWhenTold) {
  const pid_t child = fork_straggler({});
  if (child == 0) {
    for (;;) ::pause();
  }
  ASSERT_GT(child, 0);
  EXPECT_FALSE(has_straggler_ended(child));
  end_straggler(child);
  EXPECT_TRUE(has_straggler_ended(child));
}

TEST(StragglerTest, WhoeverEndedIsReapedByTheNext) {
  const Fd gone(::eventfd(0, EFD_CLOEXEC));
  const std::array<int, 1> kept{gone.get()};
  const pid_t first = fork_straggler(kept);
  if (first == 0) ::_exit(0);
  ASSERT_GT(first, 0);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(first), &info, WEXITED | WNOWAIT), 0);
  const pid_t second = fork_straggler(kept);
  if (second == 0) ::_exit(0);
  ASSERT_GT(second, 0);
  EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(first), &info, WEXITED | WNOHANG), -1);
  end_straggler(second);
}

}  // namespace
}  // namespace unicni::sys::straggler_test
