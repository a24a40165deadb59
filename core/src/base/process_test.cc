#include "unicni/sys/process.h"

#include <fcntl.h>

#include "base/runner_contract_for_test.h"

namespace unicni::sys::process_test {
namespace {

/// run_process() as core meets it where a program around it has no runner of its own.
class Children final : public ProgramRunner {
 public:
  ProcessResult run(const std::string& program, const std::vector<std::string>& env,
                    std::string_view input, Deadline deadline,
                    const std::vector<std::string>& arguments, LogSink* log) override {
    return run_process(program, env, input, deadline, arguments, log);
  }
};

INSTANTIATE_TEST_SUITE_P(Process, RunnerContract, ::testing::Values(RunnerMaker{[](LogSink*) {
                           return std::unique_ptr<ProgramRunner>(std::make_unique<Children>());
                         }}));

using Process = ScriptTest;

TEST_F(Process, HasNoDescriptorsBesideThoseThatAreMeantToBeInherited) {
  int inheritable = 0;  // what this test got from its own caller
  for (const auto& name : list_folder("/proc/self/fd")) {
    const int flags = ::fcntl(std::stoi(name), F_GETFD);
    if (std::stoi(name) > 2 && flags >= 0 && (flags & FD_CLOEXEC) == 0) ++inheritable;
  }
  Children children;
  EXPECT_EQ(std::stoi(run(children, "ls /proc/self/fd | wc -l").out), inheritable + 4)
      << "stdin, stdout, stderr and ls's own";
}

}  // namespace
}  // namespace unicni::sys::process_test
