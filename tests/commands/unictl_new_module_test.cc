// unictl new-module: names and places that it refuses. What it writes is built by tests/sdk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command.h"
#include "support/sandbox.h"

namespace unicni::test::unictl_new_module_test {
namespace {

using ::testing::HasSubstr;

class UnictlNewModule : public ::testing::Test {
 protected:
  static std::string refusal(const std::string& name, const std::string& folder = "/run/new") {
    const Output output = command("unictl", {"new-module", name, "--out-of-tree", folder});
    EXPECT_EQ(output.status, 1) << name << output.str();
    EXPECT_FALSE(exists(folder + "/config.cc"));
    return output.err;
  }

  Sandbox sandbox_;
};

TEST_F(UnictlNewModule, ANameThatIsTakenIsRefused) {
  EXPECT_THAT(refusal("unicni"), HasSubstr("there is a plugin \"unicni\" already"));
  EXPECT_THAT(refusal("host-local"), HasSubstr("there is a plugin \"host-local\" already"));
}

TEST_F(UnictlNewModule, ANameThatCMakeKeepsIsRefused) {
  for (const char* name : {"test", "all", "install", "package"}) {
    EXPECT_THAT(refusal(name), HasSubstr("CMake keeps it for a target of its own"));
  }
}

TEST_F(UnictlNewModule, ANameEndsInALetterOrDigit) {
  EXPECT_THAT(refusal("a-"), HasSubstr("\"a-\" can't be a module's name"));
  EXPECT_EQ(command("unictl", {"new-module", "a-1", "--out-of-tree", "/run/new"}).status, 0);
}

TEST_F(UnictlNewModule, TheCommandsThatItTellsAreForAShell) {
  const Output output =
      command("unictl", {"new-module", "geneve", "--out-of-tree", "/run/my $(new) it's"});
  EXPECT_EQ(output.status, 0) << output.str();
  EXPECT_THAT(output.out, HasSubstr(R"(  cmake -S '/run/my $(new) it'\''s' )"
                                    R"(-B '/run/my $(new) it'\''s/build' -DCMAKE_PREFIX_PATH=)"));
  EXPECT_THAT(output.out, HasSubstr(R"(ctest --test-dir '/run/my $(new) it'\''s/build')"));
}

TEST_F(UnictlNewModule, AFileIsNoFolder) {
  write_file("/run/f", "");
  EXPECT_THAT(refusal("geneve", "/run/f"), HasSubstr("/run/f is no folder"));
  write_file("/run/full/x", "");
  EXPECT_THAT(refusal("geneve", "/run/full"), HasSubstr("/run/full is there and not empty"));
}

}  // namespace
}  // namespace unicni::test::unictl_new_module_test
