#include "chain/foreign.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

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
