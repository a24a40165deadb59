#include "base/forked_child.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>
#include <stdexcept>

namespace unicni::sys::forked_child_test {
namespace {

using Fork = pid_t (*)(const std::function<int()>&) noexcept;
class ForkedChild : public testing::TestWithParam<Fork> {};

TEST_P(ForkedChild, EndsWithWhatItsWorkReturns) {
  const pid_t child = GetParam()([] { return 7; });
  ASSERT_GT(child, 0);
  const int status = wait_for_child(child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(7, WEXITSTATUS(status));
}

TEST_P(ForkedChild, DoesNotWriteWhatItsParentHasBuffered) {
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(nullptr, file);
  std::fputs("once", file);
  wait_for_child(GetParam()([] { return 0; }));
  std::fflush(file);
  EXPECT_EQ(4, std::ftell(file));
  std::fseek(file, 0, SEEK_END);
  EXPECT_EQ(4, std::ftell(file));
  std::fclose(file);
}

INSTANTIATE_TEST_SUITE_P(Both, ForkedChild, testing::Values(&fork_child, &fork_unheard));

TEST(HeardChild, IsAbortedByAnExceptionOfItsWork) {
  const pid_t child = fork_child([]() -> int {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::close(STDERR_FILENO);
    throw std::runtime_error("of the work");
  });
  const int status = wait_for_child(child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(SIGABRT, WTERMSIG(status));
}

TEST(UnheardChild, IsTakenAwayByNobodyWhoWaitsForAnyChild) {
  const pid_t child = fork_unheard([] { return 3; });
  EXPECT_EQ(-1, ::waitpid(-1, nullptr, 0));
  EXPECT_EQ(ECHILD, errno);
  EXPECT_EQ(3, WEXITSTATUS(wait_for_child(child)));
}

}  // namespace
}  // namespace unicni::sys::forked_child_test
