// Modules that another compiler made: with Clang where this program is GCC's, and the reverse.
#include <gmock/gmock.h>

#include <filesystem>

#include "base/error_for_test.h"
#include "interface/fake_host_for_test.h"
#include "module/loader.h"
#include "scratch.h"
#include "unicni/error.h"

namespace unicni::module::other_compiler_test {
namespace {

using testing::HasSubstr;

class OtherCompilerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(file("fixture-sdk"))) {
      GTEST_SKIP() << "there was no other compiler (sudo tools/setup --tests)";
    }
  }
  static std::string file(const std::string& name) {
    return std::string(OTHER_COMPILERS) + '/' + name + ".so";
  }
  LoadedModule load_other(const std::string& name) {
    prefix_.copy(file(name), prefix_.module(name));
    return load(name, prefix_.module(name), prefix_.executable());
  }

  scratch::Prefix prefix_;
  FakeHost host_;
};

TEST_F(OtherCompilerTest, UsesTheHostsLibrary) {
  auto module = load_other("fixture-sdk");
  Call call;
  call.key.if_name = "eth0";
  const auto result = module.add(call, host_);
  ASSERT_EQ(result.interfaces.size(), 5U);
  for (const auto& interface : result.interfaces) EXPECT_NE(interface.name, "");
  EXPECT_EQ(result.interfaces[0].name, "eth");
  EXPECT_EQ(result.interfaces[2].name, "crossed a thread");
}

TEST_F(OtherCompilerTest, ItsExceptionsCrossTheBorder) {
  auto sdk = load_other("fixture-sdk");
  EXPECT_THAT(error_of([&] { sdk.del(Call(), host_); }).msg(),
              HasSubstr("/nonexistent/fixture-sdk"));
  EXPECT_THAT(error_of([&] { sdk.check(Call(), host_); }).msg(), HasSubstr("regular expression"));
  auto module = load_other("fixture-throws-own-error");
  EXPECT_EQ(error_of([&] { module.add(Call(), host_); }).msg(),
            "fixture-throws-own-error: thrown as a subclass of Error");
}

}  // namespace
}  // namespace unicni::module::other_compiler_test
