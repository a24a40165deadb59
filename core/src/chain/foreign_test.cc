#include "chain/foreign.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "base/error_for_test.h"
#include "unicni/error.h"

namespace unicni::chain::foreign_test {
namespace {

class Foreign : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/unicni-foreign-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  void TearDown() override { std::system(("rm -rf " + folder_).c_str()); }

  std::string program(const std::string& body) {
    const std::string path = folder_ + "/plugin";
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    ::chmod(path.c_str(), 0755);
    return path;
  }
  Request request(std::vector<std::string> environment) {
    protocol::Environment env;
    return {Command::add,
            env,
            protocol::Netconf::parse(R"({"name":"n","type":"t"})"),
            "t",
            {},
            std::move(environment),
            std::chrono::steady_clock::now() + std::chrono::seconds(10),
            services_,
            modules_};
  }

  std::string folder_;
  Services services_;
  module::Cache modules_;
};

TEST_F(Foreign, InheritsTheEnvironmentButTheCommand) {
  const auto out =
      run_foreign(request({"CNI_COMMAND=ADD", "CNI_IFNAME=eth7", "FOO=1", "PATH=/bin:/usr/bin"}),
                  program("echo $CNI_COMMAND $CNI_IFNAME $FOO; cat"), Command::del, "{\"x\":1}");
  EXPECT_EQ(out, "DEL eth7 1\n{\"x\":1}");
}

/// Answers as a plugin would, and keeps what it was asked for.
class FakeRunner final : public sys::ProgramRunner {
 public:
  sys::ProcessResult run(const std::string& program, const std::vector<std::string>& env,
                         std::string_view input, Deadline deadline,
                         const std::vector<std::string>& arguments, LogSink* log) override {
    EXPECT_TRUE(arguments.empty());
    program_ = program;
    env_ = env;
    input_ = input;
    deadline_ = deadline;
    log_ = log;
    return answer_;
  }

  sys::ProcessResult answer_;
  std::string program_;
  std::vector<std::string> env_;
  std::string input_;
  Deadline deadline_;
  LogSink* log_ = nullptr;
};

class NoLog final : public LogSink {
 public:
  void log(LogLevel, std::string_view, std::string_view) noexcept override {}
  void pass_on(std::string_view) noexcept override {}
};

TEST_F(Foreign, IsRunByTheRunnerOfTheProgramAround) {
  FakeRunner runner;
  NoLog log;
  services_.programs = &runner;
  services_.log = &log;
  runner.answer_.out = "the output";
  const Request asked = request({"FOO=1"});
  EXPECT_EQ(run_foreign(asked, "/nonexistent/plugin", Command::check, "{}"), "the output");
  EXPECT_EQ(runner.program_, "/nonexistent/plugin");
  EXPECT_EQ(runner.env_,
            (std::vector<std::string>{"FOO=1", "CNI_COMMAND=CHECK", "UNICNI_DEPTH=1"}));
  EXPECT_EQ(runner.input_, "{}");
  EXPECT_EQ(runner.deadline_, asked.deadline);
  EXPECT_EQ(runner.log_, &log);
}

TEST_F(Foreign, HowItEndedUnderARunnerIsJudgedAsEver) {
  FakeRunner runner;
  services_.programs = &runner;
  const auto failure = [&](int status, int signal, bool timed_out, const std::string& out,
                           const std::string& err_tail) {
    runner.answer_ = {status, signal, timed_out, out, err_tail};
    return error_of([&] { run_foreign(request({}), "/plugin", Command::add, "{}"); });
  };
  EXPECT_EQ(failure(7, 0, false, "", "").msg(),
            "netplugin failed with no error message: exit status 7");
  EXPECT_EQ(failure(7, 0, false, "", "why\n").msg(), "netplugin failed (exit status 7): \"why\"");
  EXPECT_EQ(failure(-1, 9, false, "", "").msg(),
            "netplugin failed with no error message: signal 9 (Killed)");
  EXPECT_TRUE(failure(7, 0, false, "", "").is(Code::internal));
  EXPECT_EQ(failure(0, 0, true, "", "").msg(),
            "netplugin failed with no error message: it was ended at the deadline");
  const Error told = failure(3, 0, false, R"({"code":11,"msg":"busy","details":"later"})", "noise");
  EXPECT_TRUE(told.is(Code::try_again));
  EXPECT_EQ(told.msg(), "busy");
}

TEST_F(Foreign, AnAddThatEndsWellWithoutAWordIsNone) {
  FakeRunner runner;
  services_.programs = &runner;
  for (const char* out : {"", "\n"}) {
    runner.answer_.out = out;
    const Error error = error_of([&] { add_foreign(request({}), "/plugin", "{}", "1.0.0"); });
    EXPECT_TRUE(error.is(Code::decode));
    EXPECT_EQ(error.msg(), "/plugin printed no result: it ended with status 0 and said nothing");
  }
}

/// Unless it says itself what is wrong, there may be more time later.
TEST_F(Foreign, AtTheDeadlineItIsToBeTriedAgain) {
  FakeRunner runner;
  services_.programs = &runner;
  const auto code_after = [&](const std::string& out) {
    runner.answer_ = {-1, 15, true, out, ""};
    return error_of([&] { run_foreign(request({}), "/plugin", Command::add, "{}"); }).code();
  };
  EXPECT_EQ(code_after(""), 11U);
  EXPECT_EQ(code_after("half an ans"), 11U);
  EXPECT_EQ(code_after(R"({"msg":"interrupted"})"), 11U);
  EXPECT_EQ(code_after(R"({"code":7,"msg":"wrong"})"), 7U);
}

TEST_F(Foreign, ItsErrorKeepsCodeAndDetails) {
  try {
    run_foreign(request({}),
                program(R"(echo '{"code":11,"msg":"busy","details":"later"}'; exit 3)"),
                Command::add, "{}");
    FAIL();
  } catch (const Error& error) {
    EXPECT_TRUE(error.is(Code::try_again));
    EXPECT_EQ(error.msg(), "busy");
    EXPECT_EQ(error.details(), "later");
  }
}

TEST_F(Foreign, SilentDeathNamesTheSignal) {
  try {
    run_foreign(request({}), program("kill -9 $$"), Command::add, "{}");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE((error.msg() + error.details()).find("signal 9"), std::string::npos) << error.msg();
  }
}

TEST_F(Foreign, ResultWithoutVersionHasTheConfigurations) {
  const Result result = add_foreign(
      request({}), program(R"(echo '{"ips":[{"version":"4","address":"10.1.0.2/24"}]}')"), "{}",
      "0.4.0");
  ASSERT_EQ(result.ips.size(), 1U);
  EXPECT_EQ(result.ips[0].address.str(), "10.1.0.2/24");
}

TEST_F(Foreign, OutputThatIsNoResultIsQuoted) {
  try {
    add_foreign(request({}), program("echo hello"), "{}", "1.0.0");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.details().find("hello"), std::string::npos);
  }
}

TEST_F(Foreign, EachCallIsOneDeeperAndTheDepthEnds) {
  const std::string depth =
      run_foreign(request({"UNICNI_DEPTH=3"}), program("echo $UNICNI_DEPTH"), Command::add, "{}");
  EXPECT_EQ(depth, "4\n");
  EXPECT_NO_THROW(require_depth({"A=B"}));
  EXPECT_NO_THROW(require_depth({"UNICNI_DEPTH=7"}));
  EXPECT_THROW(require_depth({"UNICNI_DEPTH=8"}), Error);
  EXPECT_THROW(require_depth({"UNICNI_DEPTH=nonsense"}), Error);
}

}  // namespace
}  // namespace unicni::chain::foreign_test
