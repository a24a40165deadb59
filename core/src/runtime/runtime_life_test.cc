// A Runtime's end, and the time that verbs have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <thread>

#include "base/error_for_test.h"
#include "runtime/runtime_for_test.h"

namespace unicni::runtime::runtime_life_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// With a spawner.
class RuntimeLife : public RuntimeTest {
 protected:
  RuntimeLife() {
    options_.executable = UNICNI_EXECUTABLE;
    runtime_.emplace(options_);
  }
  const NetworkConfig network_ =
      Runtime::parse_network(R"({"cniVersion":"1.1.0","name":"net","type":"one"})");
};

INSTANTIATE_TEST_SUITE_P(By, RuntimeLife,
                         ::testing::Values(Isolation::process, Isolation::in_process),
                         [](const auto& isolation) {
                           return isolation.param == Isolation::process ? "Programs" : "Chain";
                         });

TEST_P(RuntimeLife, TheEndWaitsForVerbs) {
  // It goes on once the runtime is being destroyed, or a bit later.
  plugins_.answer("one", "STATUS", "sleep 0.3; echo > ${0%/*}/done; exit 0\n");
  std::optional<Error> failure;
  std::thread caller([&] {
    try {
      runtime_->status(network_);
    } catch (const Error& error) {
      failure = error;
    }
  });
  while (plugins_.calls().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  runtime_.reset();
  EXPECT_EQ(::access((plugins_.folder() + "/done").c_str(), F_OK), 0);
  caller.join();
  EXPECT_FALSE(failure) << failure->msg();
}

TEST_P(RuntimeLife, ACopyOfTheProgramMayDestroyItAndHarmsNobody) {
  runtime_->status(network_);  // with a spawner, which is the program's
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(10);
    runtime_.reset();
    ::_exit(7);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 7) << "signal " << WTERMSIG(status);
  EXPECT_NO_THROW(runtime_->status(network_));
}

TEST_P(RuntimeLife, AVerbWithoutTimeDoesNothing) {
  for (const int time : {0, -5}) {
    const Error error =
        error_of([&] { runtime_->status(network_, {.time = std::chrono::milliseconds(time)}); });
    EXPECT_TRUE(error.is(Code::try_again)) << error.msg();
  }
  EXPECT_THAT(plugins_.verbs(), IsEmpty());
}

TEST_P(RuntimeLife, TheLongestTimeIsAsLongAsItTakes) {
  runtime_->status(network_, {.time = std::chrono::milliseconds::max()});
  EXPECT_THAT(plugins_.verbs(), ElementsAre("one STATUS"));
}

}  // namespace
}  // namespace unicni::runtime::runtime_life_test
